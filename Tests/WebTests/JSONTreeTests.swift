import Core
import Testing

@testable import Web

@Suite("Reading JSON in one pass")
struct JSONTreeTests {
    private func read(_ text: String) throws -> JSONValue { try JSONTree.read(Array(text.utf8)) }

    @Test("Values of every kind are read")
    func values() throws {
        let value = try read(#" {"a":[1,-2.5,1e3,true,false,null],"b":{"c":"x\n\u00e9\ud83c\udf89/\/"},"d":""} "#)
        #expect(
            value
                == .object([
                    "a": .array([.int(1), .double(-2.5), .double(1000), .bool(true), .bool(false), .null]),
                    "b": .object(["c": .string("x\né🎉//")]), "d": .string(""),
                ]))
        #expect(try read("12345678901234567890") == .double(12_345_678_901_234_567_168))
    }

    @Test(
        "What is not JSON is refused",
        arguments: [
            "", "{", "[1,]", #"{"a":1,}"#, #"{"a" 1}"#, "01", "1.", ".5", "+1", "-", "1e", "1e400", "tru", "nul",
            "[1 2]",
            #""\x""#, #""\ud800""#, #""\u0000""#, "\"a\nb\"", #"{"a":1,"a":2}"#, "{} {}", #"{"\u0061":1,"a":2}"#,
            String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
        ])
    func refused(text: String) {
        #expect(throws: WebError.self) { try read(text) }
    }
}
