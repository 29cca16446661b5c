"""What do the engines cost? Each target by its id, ours beside a baseline; `python3 course.py bench` prints the table.

`scalar` and `arrays` hold the workloads, `worker` runs one of them on one engine in a process of its own, `measure`
interleaves the workers, `targets` says what is compared with what, `baselines` installs what we compare with.
"""
