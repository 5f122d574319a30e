import Core
import Testing

@testable import Contacts

@Suite("Values of properties")
struct PropertyValueTests {
    static let options: [PropertyOption] = [
        PropertyOption(value: "free", label: "Free"), PropertyOption(value: "pro", label: "Professional"),
    ]
    static let euros: JSONValue = .object(["amount": .int(1250), "currency": .string("EUR")])
    static let yen: JSONValue = .object(["amount": .int(-12), "currency": .string("JPY")])

    @Test(
        "What fits is brought into one form",
        arguments: [
            (.text, .string(" a "), .string("a")), (.text, .string("  "), .null),
            (.longText, .string("a\nb"), .string("a\nb")),
            (.number, .string("12"), .int(12)), (.number, .string("-3.5"), .double(-3.5)), (.number, .int(7), .int(7)),
            (.boolean, .string("Yes"), .bool(true)), (.boolean, .bool(false), .bool(false)),
            (.money, .string("12.5 eur"), euros), (.money, euros, euros), (.money, .string("-12 JPY"), yen),
            (.date, .string("2024-02-29"), .string("2024-02-29")),
            (.dateTime, .string("2026-03-31T11:30:00+02:00"), .string("2026-03-31T09:30:00Z")),
            (.singleSelect, .string("professional"), .string("pro")), (.singleSelect, .string("free"), .string("free")),
            (.multiSelect, .string("pro; free; pro"), .array([.string("free"), .string("pro")])),
            (.multiSelect, .array([]), .null),
            (.url, .string("https://example.com/a?b=c"), .string("https://example.com/a?b=c")),
        ] as [(PropertyType, JSONValue, JSONValue)])
    func fits(type: PropertyType, value: JSONValue, stored: JSONValue) throws {
        #expect(try PropertyValue(type: type, options: Self.options).normalized(value) == stored)
    }

    @Test(
        "What does not fit is refused with a reason",
        arguments: [
            (.text, .int(1)), (.text, .string("a\nb")), (.longText, .string("a\u{0}b")), (.number, .string("twelve")),
            (.number, .string("inf")), (.number, .string("0x10")), (.number, .bool(true)), (.boolean, .string("maybe")),
            (.money, .string("12.505 EUR")), (.money, .string("1.5 JPY")), (.money, .string("12 ABC")),
            (.money, .string("12")), (.money, .string("12. EUR")), (.date, .string("2026-02-29")),
            (.date, .string("31.3.2026")), (.dateTime, .string("2026-03-31T09:30:00")),
            (.dateTime, .string("2026-02-30T09:30:00Z")), (.singleSelect, .string("gold")),
            (.multiSelect, .array([.string("free"), .int(1)])), (.url, .string("javascript:alert(1)")),
            (.url, .string("https://")), (.url, .string("example.com")),
        ] as [(PropertyType, JSONValue)])
    func refused(type: PropertyType, value: JSONValue) {
        #expect(throws: PropertyValue.Flaw.self) {
            try PropertyValue(type: type, options: Self.options).normalized(value)
        }
    }

    @Test(
        "Values are written so that they can be read again",
        arguments: [
            (.money, euros, "12.50 EUR"), (.money, yen, "-12 JPY"),
            (.money, .object(["amount": .int(-5), "currency": .string("EUR")]), "-0.05 EUR"),
            (.multiSelect, .array([.string("free"), .string("pro")]), "free; pro"), (.boolean, .bool(true), "true"),
            (.number, .double(-3.5), "-3.5"), (.text, .null, ""),
        ] as [(PropertyType, JSONValue, String)])
    func written(type: PropertyType, value: JSONValue, text: String) throws {
        #expect(PropertyFormat.machine(value) == text)
        #expect(try PropertyValue(type: type, options: Self.options).normalized(.string(text)) == value)
    }

    @Test(
        "Pages show days in words, and numbers and amounts with separators",
        arguments: [
            (.money, .object(["amount": .int(1_234_550), "currency": .string("EUR")]), "12,345.50 EUR"),
            (.money, .object(["amount": .int(-5), "currency": .string("EUR")]), "-0.05 EUR"),
            (.number, .int(12_408), "12,408"),
            (.number, .double(-1234.5), "-1,234.5"), (.date, .string("2026-03-31"), "31 Mar 2026"),
            (.dateTime, .string("2026-03-31T07:30:00Z"), "31 Mar 2026, 09:30"),
            (.text, .string("2026-03-31"), "2026-03-31"),
            (.number, .double(1e20), "1e+20"),
        ] as [(PropertyType, JSONValue, String)])
    func shown(type: PropertyType, value: JSONValue, text: String) {
        let definition = PropertyDefinition(
            id: PropertyID(PreviewPeople.run.uuid), object: .contact, name: "x", label: "X", type: type, group: "",
            position: 0, isRequired: false, defaultValue: .null, description: "", options: [], speed: .normal,
            createdAt: PreviewPeople.day, updatedAt: PreviewPeople.day, version: 1, change: nil)
        #expect(PropertyFormat.shown(value, definition, zone: "Europe/Berlin") == text)
    }

    @Test("Templates say an amount of money in words")
    func sayable() {
        #expect(PropertyFormat.sayable(Self.euros) == .string("12.50 EUR"))
        #expect(PropertyFormat.sayable(.object(["a": .int(1)])) == .object(["a": .int(1)]))
    }
}
