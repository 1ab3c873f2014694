"""The edge: console and hosted channels in a process of their own, beside the core that decides.

`service` is what they see of the site: a follower of the journal with a facade; `link` is its end of the
Unix socket to the core, `door` the core's end; `handing` passes the configuration, `telling` the notices;
`pages` shows the core's health at the edge's address; `opening` puts an edge together.
"""
