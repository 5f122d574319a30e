import Contacts
import Core
import TestSupport
import Testing
import Web

@testable import Segments

@Suite("Two people edit the same segment")
struct ConcurrentSegmentTests {
    private func value(_ name: String, _ page: HTMLPage) throws -> String {
        try #require(page.all("input").first { $0["name"] == name }?["value"])
    }

    private func fields(_ name: String, _ address: String) -> [(String, String)] {
        [
            ("name", name), ("r.kind", "group"), ("r.match", "all"), ("r.count", "1"), ("r.0.kind", "leaf"),
            ("r.0.field", "email"), ("r.0.operator", "contains"), ("r.0.value", address),
        ]
    }

    @Test("The second is shown both values of the name and the rule, and saves over them only knowingly")
    func conflicts() async throws {
        try await SegmentStage.with { stage in
            let browser = try await stage.ana.signIn()
            let list = try await stage.segment(
                "Readers", #"{"all":[{"field":"email","operator":"contains","value":"first.example"}]}"#)
            let opened = try value("revision", try await browser.get("/segments/\(list)/edit").page())
            let other = try await stage.ask(
                .patch, "/v1/lists/\(list)",
                #"{"filterRules":{"all":[{"field":"email","operator":"contains","value":"second.example"}]}}"#)
            #expect(other.status == .ok, "\(other.text)")
            let typed: [(String, String)] = fields("Fans", "third.example")
            let refused = try await browser.post("/segments/\(list)", typed + [("revision", opened)])
            #expect(refused.status == .conflict)
            let page = try refused.page()
            let rows: [String] = page.all("tbody tr").map(\.readableText)
            #expect(rows.contains { $0.contains("second.example") && $0.contains("third.example") }, "\(rows)")
            #expect(rows.contains { $0.contains("Readers") && $0.contains("Fans") })
            #expect(try value("name", page) == "Fans")
            let stored = try await browser.get("/segments/\(list)").text
            #expect(stored.contains("second.example") && stored.contains("Readers"))
            let now = try value("revision", page)
            #expect(now != opened)
            // A button of the builder keeps what the form was made from.
            let again = try await browser.post("/segments/\(list)", typed + [("revision", now), ("do", "apply")])
            #expect(try value("revision", try again.page()) == now)
            let saved = try await browser.post("/segments/\(list)", typed + [("revision", now)])
            #expect(saved.status == .seeOther)
            #expect(try await browser.get("/segments/\(list)").text.contains("third.example"))
            // A name alone that somebody changed counts too.
            let third = try value("revision", try await browser.get("/segments/\(list)/edit").page())
            _ = try await stage.ask(.patch, "/v1/lists/\(list)", #"{"name":"Letters"}"#)
            let late = try await browser.post("/segments/\(list)", typed + [("revision", third)])
            #expect(late.status == .conflict && late.text.contains("Letters"))
        }
    }
}
