"""The instructor's report on one assignment: `course.py report`.

`gather` reads what grading stored (gradebook, records, submitted files) and changes nothing; `items` counts;
`similar` compares modules; `charts` and `page` draw; `tables` writes CSV files.
"""
