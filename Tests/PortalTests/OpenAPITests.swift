import Core
import TestSupport
import Testing
import Web

/// The API's description is made from the table that is served; these tests hold the two together.
@Suite("The API’s description")
struct OpenAPITests {
    @Test("names every route of the JSON face, and nothing that is not served")
    func isComplete() async throws {
        try await PortalFixture.with { portal in
            let document = try await portal.send(.get, "/openapi.json").json()
            var described: Set<String> = []
            guard case .object(let paths)? = document["paths"] else { throw TestFailure("there are no paths") }
            for (path, methods) in paths {
                guard case .object(let operations) = methods else { continue }
                for method in operations.keys { described.insert("\(method.uppercased()) \(path)") }
            }
            let routes = portal.assembly.routes.routes
            let served = Set(routes.filter { $0.operation != nil }.map { "\($0.method.rawValue) \($0.path)" })
            #expect(described == served)
            let undescribed = routes.filter { $0.path.hasPrefix("/v1/") && $0.operation == nil }
            #expect(undescribed.isEmpty, "without a description: \(undescribed.map(\.path))")
            #expect(document["openapi"] == .string("3.1.0"))
        }
    }

    @Test("gives each operation a name of its own, and refers only to schemas that are there")
    func isSound() async throws {
        try await PortalFixture.with { portal in
            let ids = portal.assembly.routes.routes.compactMap { $0.operation?.id }
            #expect(Set(ids).count == ids.count)
            let document = try await portal.send(.get, "/openapi.json").json()
            guard case .object(let schemas)? = document["components"]?["schemas"] else {
                throw TestFailure("no schemas")
            }
            for name in Self.references(in: document) {
                #expect(schemas[name] != nil, "the schema \(name) is missing")
            }
        }
    }

    private static func references(in value: JSONValue) -> Set<String> {
        switch value {
        case .object(let members):
            var found: Set<String> = []
            for (key, member) in members {
                if key == "$ref", let target = member.stringValue {
                    found.insert(target.split(separator: "/").last.map(String.init) ?? "")
                }
                found.formUnion(references(in: member))
            }
            return found
        case .array(let items): return items.reduce(into: []) { $0.formUnion(references(in: $1)) }
        default: return []
        }
    }

    @Test("is readable by people too, and every problem code has its explanation")
    func isReadable() async throws {
        try await PortalFixture.with { portal in
            let page = try await portal.send(.get, "/docs")
            #expect(page.status == .ok)
            #expect(page.text.contains("/v1/auth/login"))
            let problems = try await portal.send(.get, "/docs/problems")
            #expect(try problems.page().has("#not_found"))
        }
    }
}
