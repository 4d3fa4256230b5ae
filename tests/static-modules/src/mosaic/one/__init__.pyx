from .same import where
