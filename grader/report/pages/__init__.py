"""Pages for people: the student's, the cohort's and the item's, made from results alone."""

from grader.report.pages.write import Pages, write_cohort_page, write_pages

__all__ = ["Pages", "write_cohort_page", "write_pages"]
