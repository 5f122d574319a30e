import Core
import TestSupport
import Testing
import Web

@testable import Contacts

@Suite("Deleting what is in use")
struct DeletionTests {
    @Test("An import that waits keeps its list and its properties; templates that say a property are named")
    func uses() async throws {
        try await ImportBench.with { bench in
            let ana = bench.member
            let list = try await bench.list("News")
            let made = try await ana.api(
                .post, "/v1/property-definitions", #"{"label":"Plan","name":"plan","type":"text"}"#)
            let property = try #require(try made.json()["id"]?.stringValue)
            let template = try await ana.api(
                .post, "/v1/campaign-templates",
                #"{"kind":"email","name":"Welcome","subject":"Hello","bodyMode":"html","body":"<p>{{ contact.properties.plan }}</p>"}"#
            )
            #expect(template.status == .created, "\(template.text)")
            let file = try await bench.run("Email,Plan\nbo@example.com,pro\n", list: list.id, perform: false)
            let browser = try await ana.signIn()
            for path in ["/lists/\(list.id)", "/settings/properties/\(property)"] {
                let page = try await browser.get("\(path)/delete").page()
                #expect(page.has("a[href='/contacts/imports/\(file.id)']"), "\(path)")
                #expect(!page.has("form[action='\(path)/delete']"))
                #expect(try await browser.post("\(path)/delete").status == .conflict)
            }
            let refused = try await ana.api(.delete, "/v1/lists/\(list.id)")
            #expect(refused.status == .conflict && refused.text.contains("people.csv"))
            let named = try await browser.get("/settings/properties/\(property)/delete").text
            #expect(named.contains("Welcome"))
            try await bench.actions.perform(file.id, bench.scope)
            let free = try await browser.get("/settings/properties/\(property)/delete").page()
            #expect(free.has("form[action='/settings/properties/\(property)/delete']"))
            #expect(
                free.text.contains("1 contact will lose their value") && free.text.contains("Welcome"))
            #expect(try await browser.post("/settings/properties/\(property)/delete").status == .seeOther)
            #expect(try await browser.post("/lists/\(list.id)/delete").status == .seeOther)
        }
    }
}
