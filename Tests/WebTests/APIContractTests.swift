import Core
import TestSupport
import Testing
import Web

/// What every address of the JSON face keeps to (docs/api.md).
@Suite("The JSON face")
struct APIContractTests {
    @Test(
        "An Accept header that leaves out JSON is 406, everything else is fine",
        arguments: [
            ("text/html", 406), ("application/json;q=0", 406), ("image/*, text/csv", 406), ("*/*", 200),
            ("application/*", 200), ("text/html, application/json;q=0.1", 200), ("application/problem+json", 200),
        ])
    func negotiates(accept: String, status: Int) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let answer = try await ana.api(.get, "/v1/account", headers: [.accept: accept])
            #expect(answer.status.code == status)
            if status == 406 { #expect(answer.headers[.contentType] == "application/problem+json") }
        }
    }

    @Test("A compressed body is 415, because no limit would hold for it")
    func refusesCompressedBodies() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let answer = try await ana.api(.post, "/v1/lists", #"{"name":"x"}"#, headers: [.contentEncoding: "gzip"])
            #expect(answer.status == .unsupportedMediaType)
        }
    }

    @Test("Forms are no JSON: 415 on every address that takes a JSON body")
    func refusesForms() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for path in ["/v1/lists", "/v1/contacts", "/v1/campaigns", "/v1/suppressions", "/v1/contacts/import"] {
                let answer = try await ana.api(
                    .post, path, "name=x", headers: [.contentType: "application/x-www-form-urlencoded"])
                #expect(answer.status == .unsupportedMediaType, "\(path)")
            }
        }
    }

    @Test("Every method that an address does not know is 405 with Allow, TRACE and overrides included")
    func refusesMethods() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for method in [HTTPRequest.Method.put, .patch, .delete, .trace] {
                let answer = try await ana.api(method, "/v1/contacts")
                #expect(answer.status == .methodNotAllowed, "\(method)")
                #expect(answer.headers[.allow] == "GET, HEAD, POST", "\(method)")
            }
            let override = try #require(HTTPField.Name("X-HTTP-Method-Override"))
            let answer = try await ana.api(.get, "/v1/contacts", headers: [override: "DELETE"])
            #expect(answer.status == .ok)
        }
    }

    @Test("A list that is asked for by a filter it does not know answers 400 and names those it knows")
    func refusesUnknownFilters() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for path in ["/v1/contacts?colour=red", "/v1/lists?limit=5&name=x", "/v1/campaigns?state=draft"] {
                let answer = try await ana.api(.get, path)
                #expect(answer.status == .badRequest, "\(path)")
                #expect(try answer.json()["code"]?.stringValue == "unknown_parameter")
                #expect(try answer.json()["detail"]?.stringValue?.contains("cursor") == true)
            }
            #expect(try await ana.api(.get, "/v1/lists?limit=5").status == .ok)
            #expect(try await ana.api(.get, "/v1/account?colour=red").status == .ok)
        }
    }

    @Test("HEAD is GET without the body")
    func answersHead() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let get = try await ana.api(.get, "/v1/account")
            let head = try await ana.api(.head, "/v1/account")
            #expect(head.status == .ok)
            #expect(head.headers[.eTag] == get.headers[.eTag])
        }
    }

    @Test("Single things carry an ETag and are not sent again while they are the same")
    func tagsResources() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let contact = try await ana.api(.post, "/v1/contacts", #"{"email":"a@b.example"}"#).headers[.location]
            let list = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#).headers[.location]
            let campaign = try await ana.api(.post, "/v1/campaigns", #"{"name":"Spring"}"#).headers[.location]
            for path in [contact, list, campaign, "/v1/settings/email", "/v1/account"] {
                let path = try #require(path)
                let answer = try await ana.api(.get, path)
                let tag = try #require(answer.headers[.eTag], "\(path)")
                let again = try await ana.api(.get, path, headers: [.ifNoneMatch: "\"other\", \(tag)"])
                #expect(again.status == .notModified, "\(path)")
            }
        }
    }

    @Test("Every answer carries an id of its own, whatever the client sent")
    func namesRequests() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let id = try #require(HTTPField.Name("X-Request-Id"))
            for path in ["/v1/account", "/v1/nowhere", "/v1/contacts/nobody", "/v1/auth/login", "/openapi.json"] {
                let answer = try await ana.api(.get, path, headers: [id: "mine"])
                let given = try #require(answer.headers[id], "\(path)")
                #expect(given != "mine" && given.count == 16, "\(path)")
            }
        }
    }

    @Test("A problem says where it happened and under which id")
    func describesProblems() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let problem = try await ana.api(.post, "/v1/lists", #"{"name":""}"#).json()
            #expect(problem["instance"] == .string("/v1/lists"))
            #expect(problem["status"] == .int(422))
            #expect(problem["type"] == .string("/docs/problems#validation"))
            #expect(problem["requestId"]?.stringValue?.isEmpty == false)
        }
    }

    @Test(
        "Members that nobody may set are refused and change nothing", arguments: ["workspaceId", "createdAt", "role"])
    func refusesMassAssignment(member: String) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let path = try #require(
                try await ana.api(.post, "/v1/contacts", #"{"email":"a@b.example"}"#).headers[.location])
            let before = try await ana.api(.get, path)
            let answer = try await ana.api(.patch, path, "{\"\(member)\":\"01920000-0000-7000-8000-000000000000\"}")
            #expect(answer.status == .unprocessableContent)
            #expect(try await ana.api(.get, path).bytes == before.bytes)
        }
    }
}
