def judge(space): return ""
