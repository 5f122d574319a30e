import Testing
import Web

@Suite("Writing CSV")
struct CSVWriterTests {
    @Test(
        "Formulas are disarmed and cells quoted",
        arguments: [
            ("=1+1", "'=1+1"), ("+1 415 555 2671", "'+1 415 555 2671"), ("plain", "plain"), ("a,b", "\"a,b\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""), (" =1", "' =1"),
            ("-2", "'-2"), ("@x", "'@x"), ("\u{FF1D}1", "'\u{FF1D}1"), ("a\nb", "\"a\nb\""), ("", ""), ("'x", "'x"),
        ])
    func cells(text: String, expected: String) {
        #expect(CSVWriter.line([text]) == expected + "\r\n")
    }
}
