_have_c99_complex = True
