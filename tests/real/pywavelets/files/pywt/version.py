short_version = version = full_version = "1.9.0"
git_revision = ""
release = True
