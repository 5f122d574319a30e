import Core
import TestSupport
import Testing
import Web

@Suite("Settings of a workspace as JSON")
struct AccountSettingsTests {
    @Test("An owner reads and changes the settings; what is absent stays")
    func changes() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let before = try await ana.api(.get, "/v1/account")
            #expect(before.headers[.lastModified]?.hasSuffix(" GMT") == true)
            #expect(try before.json()["account"]?["postalAddress"] == .string(""))
            let changed = try await ana.api(
                .patch, "/v1/account",
                ##"{"postalAddress":" 1 High Street,\nOldtown ","brandName":"Ac\u202eme","brandColor":"#0B57D0","trackOpens":false}"##
            )
            #expect(changed.status == .ok, "\(changed.text)")
            let account = try #require(try await ana.api(.get, "/v1/account").json()["account"])
            #expect(account["postalAddress"] == .string("1 High Street,\nOldtown"))
            #expect(account["brandName"] == .string("Acme"))
            #expect(account["brandColor"] == .string("#0b57d0"))
            #expect(account["trackOpens"] == .bool(false))
            #expect(account["trackClicks"] == .bool(true))
            #expect(account["name"] == .string("Ana’s workspace"))
            let page = try await ana.signIn().get("/settings")
            #expect(page.text.contains("1 High Street"))
        }
    }

    @Test(
        "Settings that no workspace can have are refused at their place",
        arguments: [
            (#"{"name":""}"#, "name"), (#"{"timeZone":"Mars/Base"}"#, "timeZone"), (#"{"locale":"xx"}"#, "locale"),
            (#"{"brandColor":"red"}"#, "brandColor"), (#"{"brandLogo":"javascript:alert(1)"}"#, "brandLogo"),
            (#"{"name":"a\nb"}"#, "name"), (#"{"routingKey":7}"#, "routingKey"),
            (#"{"trackOpens":"yes"}"#, "trackOpens"),
        ])
    func refuses(_ body: String, _ field: String) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let answer = try await ana.api(.patch, "/v1/account", body)
            #expect(answer.status == .unprocessableContent, "\(answer.text)")
            #expect(answer.text.contains("\"/\(field)\""), "\(answer.text)")
        }
    }

    @Test("Viewers and editors may not change the settings")
    func roles() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for role in ["viewer", "editor"] {
                _ = try await portal.services.database.session { session in
                    try await session.run(
                        "test.role",
                        "UPDATE marketing_memberships SET role = \(role) WHERE workspace_id = \(ana.scope.workspace)")
                }
                #expect(try await ana.api(.patch, "/v1/account", #"{"name":"Mine"}"#).status == .forbidden)
                #expect(try await ana.api(.get, "/v1/account").status == .ok)
            }
        }
    }
}
