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
}
