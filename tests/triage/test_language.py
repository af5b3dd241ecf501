import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.language import LANGUAGE_NAMES, UNDETERMINED, detect_language

TEXTS = {
    "en": (
        "My laptop does not start since the update this morning.",
        "Could you please reset the password for my account?",
        "We cannot print on the third floor, the printer says offline",
        "The VPN drops every few minutes when I work from home",
    ),
    "de": (
        "Mein Laptop startet seit dem Update heute Morgen nicht mehr.",
        "Bitte das Passwort für mein Konto zurücksetzen, danke",
        "Drucker im dritten Stock lässt sich nicht mehr ansprechen",
        "VPN bricht im Homeoffice alle paar Minuten ab, bitte um Hilfe",
    ),
    "fr": (
        "Mon ordinateur ne démarre plus depuis la mise à jour de ce matin.",
        "Merci de réinitialiser le mot de passe de mon compte",
        "Impossible d'imprimer au troisième étage, l'imprimante est hors ligne",
        "Le VPN se coupe toutes les cinq minutes quand je travaille à la maison",
    ),
    "es": (
        "Mi portátil no arranca desde la actualización de esta mañana.",
        "Por favor, restablezcan la contraseña de mi cuenta",
        "No podemos imprimir en la tercera planta, la impresora está sin conexión",
        "La VPN se corta cada pocos minutos cuando trabajo desde casa",
    ),
    "pt": (
        "O meu computador não liga desde a atualização desta manhã.",
        "Por favor, podem repor a palavra-passe da minha conta?",
        "Não conseguimos imprimir no terceiro andar, a impressora está desligada",
        "A VPN cai a cada cinco minutos quando trabalho em casa",
    ),
    "it": (
        "Il mio portatile non si avvia più dopo l'aggiornamento di questa mattina.",
        "Potete reimpostare la password del mio account? Grazie",
        "Non riusciamo a stampare al terzo piano, la stampante risulta non in linea",
        "La VPN cade ogni pochi minuti quando lavoro da casa",
    ),
    "nl": (
        "Mijn laptop start niet meer op sinds de update van vanochtend.",
        "Kunnen jullie het wachtwoord van mijn account opnieuw instellen?",
        "We kunnen op de derde verdieping niet printen, de printer is offline",
        "De VPN valt om de paar minuten weg als ik thuis werk",
    ),
}


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, texts in TEXTS.items() for text in texts]
)
def test_a_sentence_is_told_by_its_language(language: str, text: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "VPN",
        "0x80070005 10.20.30.40",
        "ORA-12154 SRV-DB-02",
        "Excel Outlook Teams",
        "打印机无法连接到网络",
        "Принтер не печатает на третьем этаже",
        "xkcd qwrtz plmnb vfrtg hjklz",
    ],
)
def test_what_no_language_can_be_read_from_is_undetermined(text: str) -> None:
    assert detect_language(text) == UNDETERMINED


def test_english_terms_do_not_make_a_german_ticket_english() -> None:
    text = "Nach dem Reboot ist der Remote Desktop Connection Manager weg, Software Center leer"

    assert detect_language(text) == "de"


def test_half_a_ticket_in_each_of_two_languages_is_undetermined() -> None:
    text = f"{TEXTS['de'][0]} {TEXTS['en'][0]} {TEXTS['de'][1]} {TEXTS['en'][1]}"

    assert detect_language(text) == UNDETERMINED


@given(st.text(max_size=300))
def test_any_text_has_a_language_with_a_name(text: str) -> None:
    assert detect_language(text) in LANGUAGE_NAMES


@pytest.mark.parametrize("language", TEXTS)
def test_case_and_typographic_apostrophes_change_nothing(language: str) -> None:
    for text in TEXTS[language]:
        assert detect_language(text.upper().replace("'", "’")) == language
