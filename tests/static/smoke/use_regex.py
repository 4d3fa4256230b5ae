import regex

print(regex.findall(r"(?V1)[\p{L}--[a-z]]+", "abc ÄÖ xyz É", overlapped=True))
print(regex.match(r"(?:cats|cat){e<=1}", "cat").fuzzy_counts, regex.sub(r"\b(\w)", r"<\1>", "a bc"))
