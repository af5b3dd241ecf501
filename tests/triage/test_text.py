import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.text import MAX_TEXT_CHARS, normalise, normalise_subject, strip_reply_prefix

SENTENCES = (
    "My printer does not print since Monday.",
    "The VPN client disconnects every ten minutes, error 0x80070005",
    "Outlook keeps asking for my password",
    "please reset the password of user jdoe1",
    "Can you check the disk? It has 3 GB of 100 GB left!",
    "SAP is slow.\nIt worked last week.",
    "The whole office is down (building 3); nobody can work.",
    "Seit gestern geht der Drucker im 2. Stock nicht mehr.",
    "Bitte das Postfach für die Buchhaltung freigeben",
    "Ich komme nicht ins WLAN, obwohl das Kennwort stimmt.",
    "Mein Laptop stürzt ab.\nDie Fehlermeldung lautet: Gerät nicht bereit",
    "L'imprimante ne fonctionne plus depuis hier.",
    "No puedo abrir el archivo compartido.",
)
GREETINGS = (
    "Hi,\n",
    "Hello team,\n\n",
    "hello team, ",
    "Hey guys! ",
    "Hi John,\n",
    "Hi John, ",
    "Hi Mr. Smith,\n",
    "Hello there!\n",
    "Good morning, ",
    "Good afternoon team.\n",
    "Hi all -\n",
    "Dear Sir or Madam,\n",
    "Dear Service Desk,\n",
    "Dear Mrs. van der Berg,\n",
    "To whom it may concern,\n",
    "HELLO HELPDESK,\n",
    "Hallo,\n",
    "Hallo zusammen,\n\n",
    "Hallo liebes Team, ",
    "Guten Tag,\n",
    "Guten Morgen Herr Müller,\n",
    "Sehr geehrte Damen und Herren,\n",
    "Sehr geehrter Herr Dr. Müller,\n",
    "Liebe Kolleginnen und Kollegen,\n",
    "Moin moin, ",
    "Servus!\n",
    "Bonjour,\n",
    "Hola, ",
)
SIGNATURES = (
    "\nThanks",
    "\n\nThanks,\nJane",
    "\nThank you!\nJane Doe",
    "\n\nBest regards,\nJane Doe\nAccounting\n+49 30 1234567\njane@example.com",
    "\nKind regards\nJane",
    "\nRegards, Jane",
    "\nThanks and regards,\nJane",
    "\nCheers\nJane",
    "\nThanks in advance for your help.\nJane",
    "\nYours sincerely\nJane Doe",
    "\n-- \nJane Doe\nExample Ltd.\nMain Street 1",
    "\n--\nJane",
    "\nSent from my iPhone",
    "\nGet Outlook for iOS",
    "\n\nMit freundlichen Grüßen\nMax Mustermann\nIT-Abteilung",
    "\nmit freundlichen Gruessen, Max",
    "\nViele Grüße\nMax",
    "\nLiebe Grüße, Max",
    "\nVielen Dank und viele Grüße\nMax",
    "\nDanke!\nMax",
    "\nMfG\nMax",
    "\nLG\nMax",
    "\nGruß\nMax",
    "\nGesendet von meinem iPhone",
    "\nVon meinem iPhone gesendet",
    "\nCordialement,\nJeanne",
    "\nSaludos\nJuana",
)
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066\ufe0f\u034f\U000e0041\x00\x1b\ud800"


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_greeting_changes_nothing(sentence, greeting):
    result = normalise(greeting + sentence)

    assert result == normalise(sentence)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_signature_changes_nothing(sentence, signature):
    result = normalise(sentence + signature)

    assert result == normalise(sentence)


@given(st.sampled_from(SENTENCES), st.sampled_from(GREETINGS), st.sampled_from(SIGNATURES))
def test_greeting_and_signature_together_change_nothing(sentence, greeting, signature):
    text = greeting + sentence + signature

    assert normalise(text) == normalise(sentence)
    assert normalise(text.upper()).lower() == normalise(sentence.upper()).lower()


@given(st.sampled_from(SENTENCES), st.data())
def test_invisible_characters_change_nothing(sentence, data):
    text = sentence
    for character in data.draw(st.lists(st.sampled_from(INVISIBLE), min_size=1, max_size=20)):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + character + text[place:]

    assert normalise(text) == normalise(sentence)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_full_width_letters_change_nothing(sentence):
    result = normalise(wide(sentence))

    assert result == normalise(sentence)


@given(st.sampled_from(SENTENCES), st.data())
def test_extra_white_space_changes_nothing(sentence, data):
    blanks = st.text(" \t\u00a0\u2003\u3000", min_size=1, max_size=4)
    breaks = st.sampled_from(("\r\n", "\r", "\n\n", " \n\t\n", "\u2028", "\n \n \n"))
    text = "".join(
        data.draw(blanks) if c == " " else data.draw(breaks) if c == "\n" else c for c in sentence
    )
    around = data.draw(st.text(" \t\n\u00a0", max_size=5))

    assert normalise(around + text + around) == normalise(sentence)


def test_no_invisible_character_is_left_anywhere():
    everything = "".join(f"a{chr(c)}" for c in range(sys.maxunicode + 1))
    size = MAX_TEXT_CHARS - MAX_TEXT_CHARS % 2
    parts = [everything[start : start + size] for start in range(0, len(everything), size)]

    left = {c for part in parts for c in normalise(part) if c != "\n"}

    assert not {c for c in left if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert left.isdisjoint("\u3164\uffa0\u1160\u115f\u2800\u034f\ufe0f\U000e0100")
    assert {c for c in left if c.isspace()} == {" "}


def test_stacked_marks_are_cut():
    text = "p" + "\u0336" * 50 + "rinter " + "\u05d0" + "\u05b0\u05b1\u05b2\u05b3" * 10

    result = normalise(text)

    assert result == "p\u0336\u0336rinter \u05d0" + result[-2:]
    assert all(unicodedata.combining(c) for c in result[-2:])


def test_marks_that_languages_use_stay():
    text = "Überprüfung, naïve café, tiếng Việt, हिन्दी"

    result = normalise(unicodedata.normalize("NFD", text))

    assert result == unicodedata.normalize("NFKC", text)


def test_letter_case_is_kept():
    assert normalise("SAP is DOWN in Köln") == "SAP is DOWN in Köln"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Hello <b>team</b>,</p><p>my mouse&nbsp;&amp; pc broke</p>", "my mouse & pc broke"),
        ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
        ('<div class="a">x</div><ul><li>y</li><li>z</li></ul>', "x\ny\nz"),
        ("<style>p {color: red}</style><p>text</p><script>alert('<p>')</script>", "text"),
        ("<p>a</p><!-- hidden <b>words</b> --><p>b</p>", "a\nb"),
        ("<a href='https://example.com'>the\nportal</a> is down", "the\nportal is down"),
        ("<html><head><title>Mail</title></head><body>text</body></html>", "Mail\ntext"),
        (
            "<p>say &lt;hi&gt; &#228;&#xF6;&uuml; &unknown; &#99999999999;</p>",
            "say <hi> äöü &unknown; &#99999999999;",
        ),
        ("<table><tr><td>User</td><td>Anna</td></tr><tr><td>b</td></tr></table>", "User Anna\nb"),
        ("wo<b>rd</b>", "word"),
    ],
)
def test_html_becomes_text(text, expected):
    result = normalise(text)

    assert result == expected


@pytest.mark.parametrize(
    "text",
    [
        "a < b and b > c",
        "if x<y then y>x",
        "write <name> and <your name here>",
        "mail <john@example.com> or <a@b.com> or <p-mueller@example.com>",
        "run <script name> as administrator",
        "press <Ctrl>+<Alt>+<Del>",
        "<i think> it is broken",
        "AT&T &amp; friends",
        "<email> and <phone> stand for data",
        "1 <-> 2 <= 3 <<< 4",
    ],
)
def test_what_only_looks_like_html_stays(text):
    result = normalise(text)

    assert result == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "works now\nOn Mon, Jan 1, 2024 at 10:00 AM John <j@x.org> wrote:\n> old\n> older",
            "works now",
        ),
        ("ok\nOn Mon, Jan 1, 2024 at 10:00 AM John Doe <\nj@x.org> wrote:\n> old", "ok"),
        ("Geht.\nAm 12.03.2024 um 10:15 schrieb Max Muster <m@x.org>:\n> alt", "Geht."),
        (
            "FYI\nRegards\nJohn\n-----Original Message-----\nFrom: A\nSent: B\nTo: C\n"
            "Subject: D\n\nHello team,\nPrinter broken\nThanks\nUser",
            "FYI\nPrinter broken",
        ),
        (
            "Von: A\nGesendet: B\nAn: C\nBetreff: D\n\nHallo,\nDrucker kaputt\nGruß\nE",
            "Drucker kaputt",
        ),
        ("---------- Forwarded message ---------\nFrom: A\nDate: B\n\nno mail", "no mail"),
        ("two lines\n=======\nbelow", "two lines\nbelow"),
    ],
)
def test_mail_dressing_is_dropped(text, expected):
    result = normalise(text)

    assert result == expected


def test_only_the_greeting_itself_goes():
    assert normalise("hello there is a problem") == "there is a problem"
    assert normalise("Hello my printer, again") == "my printer, again"


@pytest.mark.parametrize(
    "text",
    [
        "Hello for business asks for a PIN",
        "High CPU load on srv1",
        "LG monitor is broken\nplease replace it",
        "From: Berlin\nTo: Munich",
        "A question with regards to the printing issue",
        "On startup the program wrote:\nfile not found",
        "Thanks for the new laptop, but it has no dock",
        "Best practice for backups?",
        "All printers are down",
        "Support portal is offline",
    ],
)
def test_text_that_only_looks_like_dressing_stays(text):
    result = normalise(text)

    assert result == text


def test_text_after_a_long_way_is_no_signature():
    text = "Printer is broken\nRegards\n" + "\n".join(f"line {n} of the log" for n in range(20))

    result = normalise(text)

    assert result == text


@pytest.mark.parametrize("text", ["Hello team,", "thanks", "> all quoted\n> lines", "Hi\n--\nJane"])
def test_text_of_dressing_alone_is_kept(text):
    result = normalise(text)

    assert result == text


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: Printer", "Printer"),
        ("RE: FW: AW: WG: Fwd: Drucker", "Drucker"),
        ("Re[2]: Printer", "Printer"),
        ("[#1234] Printer", "Printer"),
        ("Re: [Ticket#2024-123] AW: Printer", "Printer"),
        ("[EXTERNAL] Printer", "Printer"),
        ("[Berlin] Printer", "[Berlin] Printer"),
        ("Request: new laptop", "Request: new laptop"),
        ("Re:", "Re:"),
        ("", ""),
    ],
)
def test_reply_prefixes_are_stripped(subject, expected):
    assert strip_reply_prefix(subject) == expected
    assert normalise_subject(subject) == expected


def test_a_subject_is_one_clean_line():
    result = normalise_subject("AW:\u00a0Hello team, ＳＡＰ\r\n is\u200b  down ")

    assert result == "SAP is down"


FRAGMENTS = (
    *(
        "hello ",
        "Hi, ",
        "dear all,",
        "thanks",
        "Thanks, John",
        "Best regards",
        "regards",
        "--",
        "mfg",
    ),
    *("> ", ">", "On Mon 1.1.2024 10:00 John wrote:", "wrote:", "From: a", "Subject: b", "To: c"),
    *(
        "-----Original Message-----",
        "=====",
        "re: ",
        "[#12] ",
        "sent from my iPhone",
        "Jane",
        "lg,",
    ),
    *("<br>", "<b", "<p ", "x=", "<", ">", "/", "</p>", "<!--", "-->", "<style>", "</style>", "br"),
    *(
        "&lt;",
        "&gt;",
        "&amp;",
        "&#8203;",
        "&#x3c;",
        "ｂ",
        "＜",
        "\u200b",
        "\u0301",
        "\u0344",
        "e",
        "´",
    ),
    *("\n", "\n", " ", ".", ",", "\t", "\ud800", "ﷺ", "\u1160", "the printer is broken again."),
)


@settings(max_examples=500, deadline=None)
@given(
    st.text(st.characters())
    | st.text("<>/&;#bpr =\n\u200b\u0301")
    | st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
)
def test_cleaning_twice_changes_nothing(text):
    once = normalise(text)
    subject = normalise_subject(text)

    assert normalise(once) == once
    assert normalise_subject(subject) == subject
    assert len(once) <= MAX_TEXT_CHARS


def test_long_text_is_cut():
    result = normalise("ﷺ" * 50_000)

    assert len(result) <= MAX_TEXT_CHARS
    assert normalise(result) == result
