// No mark is lost without a word. nbgrader's formgrade.js shows a spinner for ever where a save fails, and forgets it
// with the page. Here it stands in a banner, with the reason, until it is saved; the page is left only when it is.
"use strict";
(() => {
  const unsaved = new Map(); // a mark or comment whose last save failed -> why
  const other = new Map(); // what else went wrong -> why
  let pending = 0;
  let waiting = []; // to be done when nothing is pending

  const why = (xhr) => {
    if (xhr.responseJSON && xhr.responseJSON.message) return xhr.responseJSON.message;
    if (xhr.status === 0) return "the server cannot be reached";
    if (xhr.status === 403) return "you are not logged in any more: log in in another tab, and save again";
    if (xhr.status === 404) return "it is not in the gradebook any more: copy what you wrote, and load the page again";
    return `the server answered with an error (${xhr.status})`;
  };

  const what = (model) => {
    const text = model.has("max_score") ? "points" : "comment";
    return `the ${text} of ${model.get("name")}`;
  };

  const banner = () => {
    let element = document.getElementById("not-saved");
    if (!element) {
      element = document.createElement("div");
      element.id = "not-saved";
      element.setAttribute("role", "alert");
      element.className = "alert alert-danger";
      element.style.cssText = "position: fixed; bottom: 0; left: 0; right: 0; margin: 0; z-index: 1040";
      document.body.append(element);
    }
    return element;
  };

  const line = (text) => {
    const element = document.createElement("div");
    element.textContent = text;
    return element;
  };

  const show = () => {
    const element = banner();
    element.replaceChildren(...[...other.values()].map(line));
    for (const [model, reason] of unsaved) element.append(line(`Not saved: ${what(model)}: ${reason}.`));
    if (unsaved.size) element.append(button("Save again", saveAgain), " ", button("Give up", giveUp));
    element.hidden = !element.childElementCount;
  };

  const button = (text, act) => {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "btn btn-danger btn-sm";
    element.textContent = text;
    element.addEventListener("click", act);
    return element;
  };

  const giveUp = () => {
    unsaved.clear();
    show();
  };

  const saveAgain = () => [...unsaved.keys()].forEach((model) => model.save());

  const sign = (model, name) => {
    const ui = [...formgrader.grade_uis, ...formgrader.comment_uis].find((one) => one.model === model);
    if (!ui) return;
    ui.$glyph.removeClass("glyphicon-ok glyphicon-refresh glyphicon-warning-sign").addClass(name);
    ui.$glyph.stop(true, true).show();
  };

  const settled = () => {
    pending -= 1;
    show();
    if (pending) return;
    const todo = waiting;
    waiting = [];
    if (!unsaved.size) todo.forEach((leave) => leave());
    else if (todo.length) formgrader.last_selected.focus();
  };

  // Go on when all is saved; what failed before is tried once more.
  const whenSaved = (leave) => {
    if (!pending) saveAgain();
    if (pending) waiting = [leave];
    else leave();
  };

  const follow = (collection, kind) => {
    collection.on("request", (model) => {
      if (model === collection) return;
      pending += 1;
      const ui = [...formgrader.grade_uis, ...formgrader.comment_uis].find((one) => one.model === model);
      if (ui) ui.$glyph.removeClass("glyphicon-warning-sign");
    });
    collection.on("sync", (model) => {
      if (model === collection) return;
      unsaved.delete(model);
      settled();
    });
    collection.on("error", (model, xhr) => {
      if (model === collection) {
        $(".score, .extra-credit, .comment, .scoring-buttons button").prop("disabled", true);
        other.set(kind, `The ${kind} could not be loaded: ${why(xhr)}. Load the page again before you mark.`);
        show();
        return;
      }
      unsaved.set(model, why(xhr));
      sign(model, "glyphicon-warning-sign");
      settled();
    });
  };

  // In the place of one that saves twice, saves what nobody changed, and goes on at a later save after one failed.
  FormGrader.prototype.save = function (callback) {
    document.activeElement.blur(); // the browser says if it was changed, and that saves it
    whenSaved(callback);
  };

  const load = FormGrader.prototype.loadGrades;
  FormGrader.prototype.loadGrades = function () {
    load.call(this);
    follow(this.grades, "marks");
  };
  const loadComments = FormGrader.prototype.loadComments;
  FormGrader.prototype.loadComments = function () {
    loadComments.call(this);
    follow(this.comments, "comments");
  };

  $(document).on("ajaxError", (event, xhr, settings) => {
    if (!settings.url.endsWith("/flag")) return;
    other.set("flag", `The flag was not changed: ${why(xhr)}.`);
    show();
  });
  $(document).on("ajaxSuccess", (event, xhr, settings) => {
    if (settings.url.endsWith("/flag") && other.delete("flag")) show();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return;
    if (!(pending || unsaved.size) || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    whenSaved(() => window.location.assign(link.href));
  });

  window.addEventListener("beforeunload", (event) => {
    if (pending || unsaved.size) event.preventDefault();
  });

  // The marking desk has the same answers, question by question.
  const linkTo = (desk) => {
    const link = document.createElement("a");
    link.href = desk;
    link.textContent = "Marking desk";
    document.querySelector(".panel-title .pull-right").prepend(link, " \u00b7 ");
  };

  window.addEventListener("load", () => {
    // Behind JupyterHub 4.1 and later a GET by script without this header counts as logged out: the hub logs
    // it in again and sets a new _xsrf cookie, and a mark that is saved at that moment is refused.
    const headers = { "X-CSRFToken": getCookie("_xsrf") };
    $.ajax({ url: `${base_url}/api/gradebook`, dataType: "json", headers }).done(({ problem, desk }) => {
      if (desk) linkTo(desk);
      if (!problem) return;
      other.set("gradebook", `Marks cannot be saved here: ${problem}.`);
      show();
    });
  });
})();
