import Core
import TestSupport
import Testing
import Web

@testable import Contacts

@Suite("Moments in the workspace's time zone")
struct LocalMomentTests {
    @Test(
        "A moment is typed and shown in a zone and stored in UTC, also where the clocks change",
        arguments: [
            ("2026-01-15T09:30", "Europe/Berlin", "2026-01-15T08:30:00Z", "15 Jan 2026, 09:30"),
            ("2026-07-15T09:30", "Europe/Berlin", "2026-07-15T07:30:00Z", "15 Jul 2026, 09:30"),
            ("2026-07-15T00:15", "Asia/Kathmandu", "2026-07-14T18:30:00Z", "15 Jul 2026, 00:15"),
            ("2026-01-01T09:30:05", "America/New_York", "2026-01-01T14:30:05Z", "1 Jan 2026, 09:30"),
        ])
    func roundTrip(typed: String, zone: String, stored: String, words: String) {
        #expect(LocalMoment.utc(typed, zone: zone) == stored)
        #expect(LocalMoment.field(stored, zone: zone) == typed)
        #expect(LocalMoment.words(stored, zone: zone) == words)
    }

    @Test("What is no local time stays as it was typed; a time that is jumped over comes after the jump")
    func edges() {
        for text in ["", "soon", "2026-02-30T10:00", "2026-01-15T25:00", "2026-01-15T09:30:00Z", "2026-01-15"] {
            #expect(LocalMoment.utc(text, zone: "Europe/Berlin") == text)
        }
        #expect(LocalMoment.utc("2026-03-29T02:30", zone: "Europe/Berlin") == "2026-03-29T01:30:00Z")
        #expect(LocalMoment.utc("2026-10-25T02:30", zone: "Europe/Berlin") == "2026-10-25T00:30:00Z")
        #expect(LocalMoment.utc("2026-01-15T09:30", zone: "Nowhere/Land") == "2026-01-15T09:30:00Z")
    }

    @Test(
        "Forms of contacts and companies take and show moments in the workspace's zone; unchanged ones stay to the second"
    )
    func forms() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            #expect(try await ana.api(.patch, "/v1/account", #"{"timeZone":"Europe/Berlin"}"#).status == .ok)
            for object in ["contact", "company"] {
                let body = #"{"object":"\#(object)","label":"Visit","name":"visit","type":"dateTime"}"#
                #expect(try await ana.api(.post, "/v1/property-definitions", body).status == .created)
            }
            let browser = try await ana.signIn()
            for (kind, who) in [("contacts", ("email", "bo@example.com")), ("companies", ("name", "Acme"))] {
                let form = try await browser.get("/\(kind)/new").text
                #expect(form.contains("In the time of Europe/Berlin."), "\(kind)")
                let made = try await browser.post(
                    "/\(kind)", [who, ("moment:visit", "2026-07-15T09:30"), ("momentZone", "Europe/Berlin")])
                #expect(made.status == .seeOther)
                let listed = try await ana.api(.get, "/v1/\(kind)").json()
                guard case .array(let rows)? = listed["data"], let one = rows.first,
                    let id = one["id"]?.stringValue
                else { throw TestFailure("nothing there") }
                #expect(one["properties"]?["visit"] == .string("2026-07-15T07:30:00Z"))
                let page = try await browser.get("/\(kind)/\(id)").text
                #expect(page.contains("15 Jul 2026, 09:30"), "\(kind)")
                // The second half past two of the night in which the clocks go back: the field cannot tell it.
                let second = #"{"properties":{"visit":"2026-10-25T01:30:00Z"}}"#
                #expect(try await ana.api(.patch, "/v1/\(kind)/\(id)", second).status == .ok)
                let edit = try await browser.get("/\(kind)/\(id)/edit").page()
                func value(_ name: String) -> String {
                    edit.all("input").first { $0["name"] == name }?["value"] ?? ""
                }
                #expect(value("moment:visit") == "2026-10-25T02:30")
                let saved = try await browser.post(
                    "/\(kind)/\(id)",
                    [
                        who, ("phone", "+14155552671"), ("moment:visit", value("moment:visit")),
                        ("momentZone", value("momentZone")), ("revision", value("revision")), ("base", value("base")),
                    ])
                #expect(saved.status == .seeOther, "\(saved.text)")
                let after = try await ana.api(.get, "/v1/\(kind)/\(id)").json()
                #expect(after["phone"] == .string("+14155552671"))
                #expect(after["properties"]?["visit"] == .string("2026-10-25T01:30:00Z"))
            }
        }
    }
}
