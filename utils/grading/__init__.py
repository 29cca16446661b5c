"""The nbgrader course: its configuration, and a plugin at nbgrader's own extension points.

`config.configure` is all that nbgrader_config.py calls. `submission` reads and rebuilds one submission and runs nothing
of it; `plugin` hands that and the judge's verdict to nbgrader; `collect` takes submissions in from the exchange;
`feedback` adds to nbgrader's page. `batch` is `course.py grade`: `task` grades one submission, `bundle` is what it is
given, `pools` are where it runs, `gradebook` and `records` keep what it gave.
"""
