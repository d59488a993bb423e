"""An oracle for changes of form: what a seed's plans and facts come to in the books must stay the same.

`python -m tests.oracle record FOLDER` writes it row by row, in this tree or another;
`python -m tests.oracle compare OLD NEW` says where two such recordings part.
"""
