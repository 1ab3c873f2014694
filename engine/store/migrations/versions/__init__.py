"""One file per step. A step that was released is never changed: what is wrong in it is the next step's."""
