"""The people of the story: a few hundred rows of a CSV file, most of them fine."""
import csv
import io
from dataclasses import dataclass

FIRST = ["Ana", "Björn", "Chloé", "Dmitri", "Eleni", "Fatima", "Günther", "Hana", "Ibrahim", "Jürgen", "Kaya",
         "Łukasz", "Mei", "Noa", "Olga", "Priya", "Quinn", "Renée", "Søren", "Tomás", "Uma", "Vera", "Wei", "Xenia",
         "Yusuf", "Zoë"]
LAST = ["Núñez", "Andersson", "Dubois", "Petrov", "Papadopoulou", "al-Amin", "Müller", "Nováková", "Okafor", "O’Brien"]
PLANS = ["free", "pro", "team"]
#: Names that pages and messages must bear: right to left, emoji, quotes, markup, very long.
SPECIAL = [("مريم", "الحسن"), ("דוד", "כהן"), ("🦊 Fox", "Emoji"), ('Mary "Mo"', "Quote"), ("<b>Bold</b>", "Tag & Co"),
           ("Wolfeschlegelsteinhausenbergerdorff" * 2, "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch")]
BROKEN = [("Nobody", "not an address"), ("Spaces", "two words@example.com"), ("Double", "a@@example.com")]


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    email: str
    plan: str


def crowd(prefix: str, domain: str, count: int) -> list[Person]:
    """`count` different people whose addresses begin with the prefix."""
    people: list[Person] = []
    for number in range(count):
        first, last = SPECIAL[number] if number < len(SPECIAL) else (FIRST[number % 26], LAST[number % 10])
        people.append(Person(first, last, f"{prefix}{number:04}@{domain}", PLANS[number % 3]))
    return people


def as_csv(people: list[Person], broken: list[tuple[str, str]] = ()) -> bytes:
    """A file as a spreadsheet writes it: byte order mark, quotes, a note with a line break."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(["First name", "Last name", "E-mail", "Plan", "Note"])
    for number, person in enumerate(people):
        note = "met at the fair,\nwants a call" if number % 50 == 7 else ""
        writer.writerow([person.first, person.last, person.email, person.plan, note])
    for name, address in broken:
        writer.writerow([name, "", address, "free", ""])
    return b"\xef\xbb\xbf" + output.getvalue().encode()
