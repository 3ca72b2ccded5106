"""A table that is printed whole; it needs pandas."""

import pandas


class Table(pandas.DataFrame):
    """A DataFrame that is printed with all its columns: pandas leaves out those that would not fit in 80 letters."""

    def __repr__(self):
        return self.to_string()
