import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// A company as the JSON face shows it.
package struct CompanyResource: Encodable, Sendable {
    let id: CompanyID
    let name: String
    let domain: String?
    let phone: String?
    let website: String?
    let ownerId: UserID?
    let properties: [String: JSONValue]
    let source: String?
    let contactCount: Int
    let createdAt: Date
    let updatedAt: Date

    package init(_ company: Company) {
        id = company.id
        name = company.name
        domain = company.domain
        phone = company.phone
        website = company.website
        ownerId = company.ownerID
        properties = company.properties
        source = company.source
        contactCount = company.contactCount
        createdAt = company.createdAt
        updatedAt = company.updatedAt
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, domain, phone, website, ownerId, properties, source, contactCount, createdAt, updatedAt
    }

    /// Writes nulls: null says "known to be empty".
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(domain, forKey: .domain)
        try container.encode(phone, forKey: .phone)
        try container.encode(website, forKey: .website)
        try container.encode(ownerId, forKey: .ownerId)
        try container.encode(properties, forKey: .properties)
        try container.encode(source, forKey: .source)
        try container.encode(contactCount, forKey: .contactCount)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(updatedAt, forKey: .updatedAt)
    }

    private static let members: [(String, APISchema)] = [
        ("name", .string(maxLength: 200)), ("domain", .nullable(.string(maxLength: 253))),
        ("phone", .nullable(.string(maxLength: 40))), ("website", .nullable(.string(maxLength: 2000))),
        ("ownerId", .nullable(.id)), ("properties", .map(of: .any)),
    ]

    static let input: APISchema = .object(members)

    static let schema: APISchema = .object(
        [("id", .id)] + members + [
            ("source", .nullable(.string)), ("contactCount", .integer(minimum: 0)), ("createdAt", .dateTime),
            ("updatedAt", .dateTime),
        ], required: ["id", "name", "domain", "properties", "contactCount", "createdAt", "updatedAt"])
}

/// Companies as JSON.
struct CompanyAPI: Sendable {
    let services: AppServices
    let uses: CompanyUseFinder

    private var actions: CompanyActions { CompanyActions(services: services, uses: uses) }

    func add(to routes: inout RouteTable) {
        routes.schema("Company", CompanyResource.schema)
        routes.schema("CompanyInput", CompanyResource.input)
        let filters: [APIOperation.Parameter] = [
            .init("q", .string, "Part of a name or a domain."),
            .init("domain", .string, "With exactly this domain."),
            .init("sort", .string(oneOf: CompanySort.allCases.map(\.rawValue)), "name unless told."),
        ]
        routes.api(
            .get, "/v1/companies", .viewer,
            APIOperation(
                id: "listCompanies", tag: "Companies", summary: "List companies", query: filters + APIOperation.paging,
                response: .page(of: .ref("Company")), problems: [400, 422]), list)
        routes.api(
            .post, "/v1/companies", .editor,
            APIOperation(
                id: "createCompany", tag: "Companies", summary: "Add a company",
                details: "A domain belongs to one company, and never is one where anybody can have an address.",
                body: .ref("CompanyInput"), status: 201, response: .ref("Company"), problems: [409]), create)
        routes.api(
            .get, "/v1/companies/{id}", .viewer,
            APIOperation(
                id: "getCompany", tag: "Companies", summary: "Get a company", response: .ref("Company")), show)
        routes.api(
            .put, "/v1/companies/{id}", .editor,
            APIOperation(
                id: "replaceCompany", tag: "Companies", summary: "Replace a company",
                details: "What is left out is cleared. With If-Match only if nobody changed the company since.",
                body: .ref("CompanyInput"), response: .ref("Company"), problems: [409, 412]), replace)
        routes.api(
            .patch, "/v1/companies/{id}", .editor,
            APIOperation(
                id: "updateCompany", tag: "Companies", summary: "Change a company",
                details: "What is left out stays; null clears. Properties are merged one by one.",
                body: .ref("CompanyInput"), response: .ref("Company"), problems: [409, 412]), patch)
        routes.api(
            .delete, "/v1/companies/{id}", .editor,
            APIOperation(
                id: "deleteCompany", tag: "Companies", summary: "Delete a company",
                details: "Its people stay. Refused with `company_in_use` while something needs it.", status: 204,
                problems: [409]), delete)
    }

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        if let text = request.query.optional("domain") {
            guard let domain = CompanyDomain(text) else { throw ValidationErrors("domain", "This is no domain.") }
            let found = try await services.database.read(scope.workspace) { transaction in
                try await CompanyQueries(scope: scope).find(domain: domain, in: transaction)
            }
            return try .json(CursorPage(data: found.map { [CompanyResource($0)] } ?? [], nextCursor: nil))
        }
        let sort = try CompanySort(request.query)
        let paging = try request.pageRequest()
        let page = try await services.database.read(scope.workspace) { transaction in
            try await CompanyQueries(scope: scope).page(
                matching: request.query.optional("q"), sort: sort, after: paging.after, limit: paging.limit,
                in: transaction)
        }
        let next: String? = page.next.map { request.cursor(after: $0) }
        return try .json(CursorPage(data: page.rows.map(CompanyResource.init), nextCursor: next))
    }

    private func answer(_ outcome: SavingCompany, status: HTTPResponse.Status = .ok) throws -> WebResponse {
        switch outcome {
        case .saved(let company):
            var headers: HTTPFields = [.eTag: "\"\(company.revision)\""]
            if status == .created { headers[.location] = "/v1/companies/\(company.id)" }
            return try .json(CompanyResource(company), status: status, headers: headers)
        case .domainTaken(let other):
            throw WebError.conflict("The company \(other) has this domain already.", code: "domain_taken")
        case .changedMeanwhile(let company, _):
            var error = WebError.preconditionFailed(
                "The company has changed since. Read it again and repeat the change.")
            error.headers[.eTag] = "\"\(company.revision)\""
            throw error
        case .missing: throw WebError.notFound
        }
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try CompanyInput(json: try await request.json([String: JSONValue].self), isWhole: true)
        return try answer(try await actions.create(input, source: "api", try request.scope), status: .created)
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: CompanyID = try request.id()
        let company = try await services.database.read(scope.workspace) { transaction in
            try await CompanyQueries(scope: scope).find(id, in: transaction)
        }
        return try answer(company.map(SavingCompany.saved) ?? .missing)
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        try await save(request, isWhole: true)
    }

    private func patch(_ request: WebRequest) async throws -> WebResponse {
        try await save(request, isWhole: false)
    }

    private func save(_ request: WebRequest, isWhole: Bool) async throws -> WebResponse {
        let id: CompanyID = try request.id()
        let input = try CompanyInput(json: try await request.json([String: JSONValue].self), isWhole: isWhole)
        let wanted: String? = request.headers[.ifMatch].flatMap { $0 == "*" ? nil : $0 }
        return try answer(
            try await actions.update(id, input, revision: wanted.map { $0.filter { $0 != "\"" } }, try request.scope))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        switch try await actions.delete(try request.id(), try request.scope) {
        case .done: return .empty()
        case .missing: throw WebError.notFound
        case .inUse(let uses):
            let names: String = uses.map { "“\($0.name)”" }.joined(separator: ", ")
            throw WebError.conflict("The company is used by \(names).", code: "company_in_use")
        }
    }
}
