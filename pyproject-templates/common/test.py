import unittest

import {{ package }}


class MeanTest(unittest.TestCase):
    def test_of_numbers(self):
        self.assertEqual({{ package }}.mean([1, 2.0, 6]), 3.0)

    def test_of_nothing(self):
        with self.assertRaisesRegex(ValueError, "no values"):
            {{ package }}.mean([])

    def test_of_text(self):
        with self.assertRaises({% if numpy %}ValueError{% else %}TypeError{% endif %}):
            {{ package }}.mean(["one"])


if __name__ == "__main__":
    unittest.main()
