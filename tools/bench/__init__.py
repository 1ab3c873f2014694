"""What the engine costs, beside what others cost on the same machine in the same minutes.

Nothing here asserts by a clock: figures depend on the machine and its neighbours, whose load is printed
beside them. What is asserted is that replays end in the same state and that all implementations decide alike.
"""
