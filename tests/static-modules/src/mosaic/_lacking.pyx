import surely_absent

value = surely_absent
