"""Teams: several members who own things together, each with a part in percent.

Owns who is in a team with which part from which month on, who has agreed to it, what was put into
it, and the history that everybody in it sees. Deeds: found, propose, answer, leave, put in, take
out. Rooms above ask whose a thing is in a month, and who has which part of it.
"""
