import Core
import FoundationEssentials
import Testing
import Web

@Suite("JSON bodies")
struct JSONBodyTests {
    struct Input: StrictInput, Equatable {
        let email: String
        let tags: [String]?
        let at: Date?

        static let memberNames: Set<String> = ["email", "tags", "at"]
    }

    private func decode(_ json: String) throws -> Input {
        try JSONBody.decode(Input.self, from: Array(json.utf8))
    }

    @Test("A good body is read")
    func reads() throws {
        let input = try decode(#"{"email":"a@b.example","tags":["x"],"at":"2026-01-15T09:30:00Z"}"#)
        #expect(input == Input(email: "a@b.example", tags: ["x"], at: Date(timeIntervalSince1970: 1_768_469_400)))
    }

    @Test(
        "Mistakes name their place",
        arguments: [
            (#"{}"#, "email"), (#"{"email":7}"#, "email"), (#"{"email":"a","tags":["x",1]}"#, "tags/1"),
            (#"{"email":"a","at":"yesterday"}"#, "at"), (#"{"email":"a","emial":"b"}"#, "emial"),
            (#"{"email":null}"#, "email"),
        ])
    func namesPlaces(json: String, place: String) throws {
        let errors = #expect(throws: ValidationErrors.self) { _ = try decode(json) }
        #expect(errors?.entries.first?.field == place)
    }

    @Test(
        "What is no JSON, nothing at all, or nested too deeply is a bad request",
        arguments: [
            "", "{", "{\"email\":", "[1,2", String(repeating: "[", count: 100_000), "{\"email\":\"\\ud800",
        ])
    func refuses(json: String) {
        let error = #expect(throws: WebError.self) { _ = try decode(json) }
        #expect(error?.status == .badRequest)
    }

    @Test(
        "A member given twice is refused, however it is spelt",
        arguments: [
            #"{"email":"a","email":"b"}"#, #"{"email":"a","\u0065mail":"b"}"#, #"{"email":"a","x":{"y":1,"y":2}}"#,
            #"{"email":"a","tags":[{"y":1},{"y":1,"z":[],"y":2}]}"#,
        ])
    func refusesDuplicates(json: String) {
        let error = #expect(throws: WebError.self) { _ = try decode(json) }
        #expect(error?.code == "duplicate_member")
    }

    @Test("The same name in two objects, or as a value, is no duplicate")
    func allowsRepetition() throws {
        let json = #"[{"a":"a","b":{"a":"b"},"c":["a","a"]},{"a":"a"}]"#
        #expect(throws: Never.self) { _ = try JSONBody.decode(JSONValue.self, from: Array(json.utf8)) }
    }

    @Test("Thirty-two levels are read, one more is not")
    func limitsDepth() throws {
        let deep = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(throws: Never.self) { _ = try JSONBody.decode(JSONValue.self, from: Array(deep.utf8)) }
        let error = #expect(throws: WebError.self) {
            _ = try JSONBody.decode(JSONValue.self, from: Array("[\(deep)]".utf8))
        }
        #expect(error?.code == "too_deep")
    }

    @Test("Broken UTF-8 and lone surrogates are a bad request")
    func refusesBrokenText() {
        let broken: [[UInt8]] = [
            Array("{\"email\":\"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8), Array(#"{"email":"\ud800"}"#.utf8),
        ]
        for bytes in broken {
            let error = #expect(throws: WebError.self) { _ = try JSONBody.decode(Input.self, from: bytes) }
            #expect(error?.status == .badRequest)
        }
    }
}
