import Testing
import Web

@Suite("Forms")
struct FormValuesTests {
    @Test("Names and values are decoded, repeated names kept in order")
    func decodes() {
        let form = FormValues(urlEncoded: "q=a+b%26c&tag=x&tag=y&empty=&na%C3%AFve=%F0%9F%8E%89&flag=on")
        #expect(form.text("q") == "a b&c")
        #expect(form.all("tag") == ["x", "y"])
        #expect(form.optional("empty") == nil)
        #expect(form.contains("empty"))
        #expect(form.text("naïve") == "🎉")
        #expect(form.flag("flag"))
        #expect(!form.flag("q"))
    }

    @Test(
        "Broken escapes stay as they are, NUL disappears, bytes that are no UTF-8 become a mark",
        arguments: [
            ("a=%zz", "%zz"), ("a=100%", "100%"), ("a=x%00y", "xy"), ("a=%ff", "\u{FFFD}"),
        ])
    func survives(text: String, value: String) {
        #expect(FormValues(urlEncoded: text).text("a") == value)
    }

    @Test("White space around a value is not part of it, except where it is asked for raw")
    func trims() {
        let form = FormValues([("password", " secret \n")])
        #expect(form.text("password") == "secret")
        #expect(form.raw("password") == " secret \n")
    }
}
