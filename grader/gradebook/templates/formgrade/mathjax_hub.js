// What nbgrader 0.9.6 asks of MathJax 2, answered by MathJax 3. Its formgrade.js waits for the end of the
// typesetting by `MathJax.Hub.Startup.signal.Interest`, in its start-up, which without it stops there: with the
// keyboard, the return to the place after Next, and the help. A formula that cannot be set does not stop it.
window.MathJax = window.MathJax || {};
MathJax.Hub = {
  Startup: {
    signal: {
      Interest(told) {
        const typeset = MathJax.startup ? MathJax.startup.promise : undefined;
        Promise.resolve(typeset).catch((error) => console.warn(error)).then(() => told("End"));
      },
    },
  },
};
