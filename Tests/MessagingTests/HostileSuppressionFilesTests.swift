import Core
import TestSupport
import Testing
import Web

@testable import Messaging

/// Files that somebody's program or a rival made: each gets a clear answer, and none of it stays half done.
@Suite("Hostile files of suppressions")
struct HostileSuppressionFilesTests {
    private struct Outcome {
        let status: HTTPResponse.Status
        /// What the page says was wrong with the file as a whole.
        let refusal: String
        let added: Int
        let failed: Int
        let failures: String
    }

    private func upload(_ bytes: [UInt8], _ browser: TestBrowser) async throws -> Outcome {
        let answer = try await browser.upload("/suppressions/import", file: ("file", "blocked.csv", bytes))
        guard let place = answer.location else {
            let words: String = try answer.page().all(".error-summary").map(\.readableText).joined()
            return Outcome(status: answer.status, refusal: words, added: 0, failed: 0, failures: "")
        }
        let tiles: [String] = try await browser.get(place).page().all(".stat-value").map(\.readableText)
        func number(_ index: Int) -> Int { index < tiles.count ? Int(tiles[index].filter { $0 != "," }) ?? -1 : -1 }
        return Outcome(
            status: answer.status, refusal: "", added: number(0), failed: number(2),
            failures: try await browser.get(place + "/failures").text)
    }

    private static func utf16(_ text: String) -> [UInt8] {
        [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    }

    private static func utf32(_ text: String, little: Bool) -> [UInt8] {
        ([0xFEFF] + text.unicodeScalars.map(\.value)).flatMap { value -> [UInt8] in
            let bytes: [UInt8] = (0..<4).map { UInt8(value >> ($0 * 8) & 255) }
            return little ? bytes : bytes.reversed()
        }
    }

    @Test("What is no table of addresses is refused in a sentence, and nothing is added")
    func refusals() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            let noise: [UInt8] = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0 >> 3) }
            let cases: [([UInt8], String)] = [
                (noise, "NUL"), ([], "empty"), ([0x50, 0x4B, 3, 4, 20, 0, 0, 0, 1], "Excel"),
                (Self.utf32("address\nbo@example.com\n", little: true), "UTF-32"),
                (Self.utf32("address\nbo@example.com\n", little: false), "UTF-32"),
                (Array("name,mail box\nBo,bo@example.com\n".utf8), "No column is headed address"),
            ]
            for (bytes, words) in cases {
                let outcome = try await upload(bytes, browser)
                #expect(outcome.status == .unprocessableContent, "\(words)")
                #expect(outcome.refusal.contains(words), "\(outcome.refusal)")
            }
            #expect(try await browser.get("/suppressions/export").text.split(separator: "\r\n").count == 1)
        }
    }

    @Test("Encodings, missing headings and lists of domains are understood")
    func understood() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            let wide = try await upload(Self.utf16("E-Mail;Note\nbo@example.com;zoë\n"), browser)
            #expect(wide.added == 1 && wide.failed == 0)
            let bare = try await upload(Array("Bo,cy@example.com\nDi,di@example.com\n".utf8), browser)
            #expect(bare.added == 2 && bare.failed == 0)
            let domains = try await upload(Array("one.example\ntwo.example\n".utf8), browser)
            #expect(domains.added == 2 && domains.failed == 0)
        }
    }

    @Test("Endless lines, formulas, line ends in quotes and open quotes fail row by row, with reasons")
    func rows() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            let long: String = String(repeating: "x", count: 10 << 20)
            let endless = try await upload(Array("address\n\(long)\nbo@example.com\n".utf8), browser)
            #expect(endless.added == 1 && endless.failed == 1)
            #expect(endless.failures.contains("longer than 64 KB") && endless.failures.utf8.count < 10_000)
            let formulas = try await upload(
                Array("address,note\n\"=cmd|' /C calc'!A0\",x\ncy@example.com,\"=HYPERLINK(\"\"x\"\")\"\n".utf8),
                browser)
            #expect(formulas.added == 1 && formulas.failed == 1)
            #expect(formulas.failures.contains("'=cmd") && !formulas.failures.contains(",=cmd"))
            #expect(try await browser.get("/suppressions/export").text.contains("'=HYPERLINK"))
            let ends = try await upload(
                Array(
                    "note,address\n\"two\nlines\",di@example.com\n\"a\nb\",\"no\nbody\"\n\"open,ed@example.com\n".utf8),
                browser)
            #expect(ends.added == 1 && ends.failed == 2)
        }
    }

    @Test("A hundred thousand useless rows are counted and can be taken out again")
    func many() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            var text: String = "address\n"
            for number in 0..<100_000 { text += "nobody \(number)\n" }
            let outcome = try await upload(Array(text.utf8), browser)
            #expect(outcome.added == 0 && outcome.failed == 100_000)
            #expect(outcome.failures.split(separator: "\r\n").count == 100_001)
        }
    }
}
