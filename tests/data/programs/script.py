import sys

print(sys.argv, __name__, __file__, sys.flags, sys.path[0])
print("to the other stream", file=sys.stderr)
with open("written.txt", "w") as file:
    file.write("by the program\n")
sys.exit(3)
