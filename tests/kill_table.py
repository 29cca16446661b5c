EQUIVALENT = {}
NOT_JUDGED = {"Value.__repr__"}
def table(k, p): return ""
