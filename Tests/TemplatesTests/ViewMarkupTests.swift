import Testing

@testable import Templates

@Suite struct ViewMarkupTests {
    @Test(
        "Outputs stand only where they can be made safe",
        arguments: [
            ("<script>{{ title }}</script>", "no output may stand in <script>"),
            ("<style>{{ title }}</style>", "no output may stand in <style>"),
            ("<!-- {{ title }} -->", "no output may stand in an HTML comment"),
            ("<!doctype {{ title }}>", "no output may stand in a declaration"),
            ("<{{ title }}>", "the name of a tag cannot be an output"),
            (
                "<p {{ title }}></p>",
                "the name of an attribute cannot be an output; use {% attr %} for one that comes and goes"
            ),
            (
                "<p data-{{ title }}=\"\"></p>",
                "the name of an attribute cannot be an output; use {% attr %} for one that comes and goes"
            ),
            ("<p title={{ title }}></p>", "put the value of this attribute in quotes"),
            ("<p style=\"color: {{ title }}\"></p>", "no output may stand in the attribute style"),
            ("<iframe srcdoc=\"{{ title }}\"></iframe>", "no output may stand in the attribute srcdoc"),
            ("<img alt=\"\" srcset=\"{{ link }}\">", "no output may stand in the attribute srcset"),
            ("<script src=\"{{ link }}\"></script>", "the address of a script is an {% asset %}, not an output"),
            (
                "<link rel=\"stylesheet\" href=\"{{ title }}\">",
                "what this element loads must be a value of kind url, not a text"
            ),
            ("<base href=\"{{ link }}\">", "no output may stand in <base>"),
            ("<p title=\"{{ body }}\"></p>", "HTML cannot stand in an attribute"),
            ("<title>{{ body }}</title>", "HTML cannot stand in <title>"),
            ("<a href=\"{{ title }}:x\">x</a>", "an output cannot be the scheme of a URL"),
            ("<a href=\"javascript:{{ title }}\">x</a>", "links of the scheme javascript: are not allowed"),
            (
                "<a href=\"{% if isAdmin %}/x{% endif %}{{ link }}\">x</a>",
                "this output begins a URL or continues one, depending on a branch"
            ),
            (
                "<meta http-equiv=\"refresh\" content=\"{{ count }}\">", "no output may stand in a refresh"
            ),
            (
                "<script type=\"application/json\">{{ title }}</script>",
                "in a JSON script every output ends with | json"
            ),
            ("<p>{{ title | json }}</p>", "| json stands only in <script type=\"application/json\">"),
        ])
    func holes(_ body: String, _ message: String) {
        #expect(Views.mistakes(body) == [message])
    }

    @Test(
        "Markup is well formed on every way through a view",
        arguments: [
            ("<p>", "<p> is not closed"),
            ("</p>", "</p> closes nothing that was opened here"),
            ("<b><i></b></i>", "</b> comes before </i>"),
            ("<div/>", "<div> needs a closing tag: /> does not close it"),
            ("<p title=\"x", "the file ends inside the attribute title"),
            ("<p title=x></p>", "put the value of this attribute in quotes"),
            ("<p id=\"a\" id=\"b\"></p>", "the attribute id is there twice"),
            ("1 < 2", "write &lt; for a < in text"),
            (
                "<a href=\"/\" onclick=\"x()\">x</a>",
                "the attribute onclick runs script in markup, which the portal forbids"
            ),
            (
                "{% if isAdmin %}<p>{% endif %}",
                "the branches of this tag do not open and close the same elements: <p>"
            ),
            (
                "<p {% if isAdmin %}title=\"{% endif %}",
                "the branches of this tag end in different places: inside the attribute title, and inside the tag <p>"
            ),
            ("{% for tag in tags %}<p>{% endfor %}", "this loop does not close <p>"),
            ("{% fragment \"a\" %}<p>{% endfragment %}", "this fragment does not close <p>"),
            ("<p{% if isAdmin %} hidden{% endif %}x></p>", "a space has to follow here"),
        ])
    func form(_ body: String, _ message: String) {
        #expect(Views.mistakes(body).first == message)
    }

    @Test(
        "What every page needs is asked for",
        arguments: [
            ("<form method=\"post\" action=\"/x\"></form>", "a form that posts needs {% csrf %}"),
            ("<form method=\"{{ title }}\"></form>", "a form that posts needs {% csrf %}"),
            (
                "<form method=\"post\">{% if isAdmin %}{% csrf %}{% endif %}</form>",
                "a form that posts needs {% csrf %}"
            ),
            ("<img src=\"/x.png\">", "an image needs an alt text, empty when it only decorates"),
            ("<button>x</button>", "a button needs a type: submit, button or reset"),
            (
                "<input name=\"a\">",
                "<input> needs a label: <label for> with its id, a <label> around it, or aria-label"
            ),
            (
                "<label for=\"b\">x</label><select id=\"a\"></select>",
                "<select> needs a label: <label for> with its id, a <label> around it, or aria-label"
            ),
            ("<p id=\"a\"></p><p id=\"a\"></p>", "the id 'a' is there twice in this file"),
            ("{% for tag in tags %}<p id=\"a\"></p>{% endfor %}", "the id 'a' repeats with the loop it stands in"),
            ("<a href=\"/\" target=\"_blank\">x</a>", "a link with target=\"_blank\" needs rel=\"noopener\""),
            ("<form><form></form></form>", "a form cannot stand inside a form"),
        ])
    func lints(_ body: String, _ message: String) {
        #expect(Views.mistakes(body) == [message])
    }

    @Test(
        "What is right is left alone",
        arguments: [
            "<form method=\"get\"></form>",
            "<form method=\"post\">{% csrf %}<input type=\"hidden\" name=\"a\" value=\"{{ title }}\"></form>",
            "<label for=\"f-{{ title }}\">x</label><input id=\"f-{{ title }}\">",
            "<label>x <input name=\"a\"></label>",
            "<input aria-label=\"Search\" name=\"q\">",
            "<textarea aria-labelledby=\"x\">{{ title }}</textarea>",
            "{% if isAdmin %}<p id=\"a\"></p>{% else %}<p id=\"a\"></p>{% endif %}",
            "{% if isAdmin %}<b>{% else %}<b class=\"x\">{% endif %}</b>",
            "<a href=\"/x{% if isAdmin %}?q={{ title }}{% endif %}\">x</a>",
            "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>",
            "<p class=\"a{% if isAdmin %} b{% endif %}\" {% if isAdmin %}hidden{% endif %}></p>",
            "<p{% if isAdmin %} hidden{% endif %}></p>",
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{{ title }}</title></head></html>",
            "<script type=\"module\" src=\"{% asset \"css/app.css\" %}\"></script>",
            "<p>a &lt; b</p><br><hr>",
            "<p style=\"color: red\">x</p>",
        ])
    func right(_ body: String) {
        #expect(Views.mistakes(body) == [])
    }
}
