import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// A property as the JSON face shows it.
struct PropertyResource: Encodable, Sendable {
    let id: PropertyID
    let object: PropertyObject
    let name: String
    let label: String
    let type: PropertyType
    let group: String
    let position: Int
    let required: Bool
    let `default`: JSONValue
    let description: String
    let options: [PropertyOption]
    let fast: String
    let change: Change?
    let createdAt: Date
    let updatedAt: Date

    struct Change: Encodable, Sendable {
        let type: PropertyType
        let stage: String
        let done: Int
        let failing: Int
        let examples: [PropertyChange.Example]
    }

    init(_ property: PropertyDefinition) {
        id = property.id
        object = property.object
        name = property.name
        label = property.label
        type = property.type
        group = property.group
        position = property.position
        required = property.isRequired
        `default` = property.defaultValue
        description = property.description
        options = property.options
        fast = property.speed == .normal ? "no" : property.speed == .building ? "building" : "yes"
        change = property.change.map {
            Change(
                type: $0.type, stage: $0.stage.rawValue, done: $0.done, failing: $0.failing, examples: $0.examples)
        }
        createdAt = property.createdAt
        updatedAt = property.updatedAt
    }

    static let types: [String] = PropertyType.allCases.map(\.rawValue)

    private static let option: APISchema = .object(
        [("value", .string(maxLength: 100)), ("label", .string(maxLength: 100))], required: ["label"])

    private static let inputMembers: [(String, APISchema)] = [
        ("label", .string(maxLength: 100)), ("type", .string(oneOf: types)), ("group", .string(maxLength: 60)),
        ("position", .integer(minimum: 0)), ("required", .boolean), ("default", .any),
        ("description", .string(maxLength: 500)), ("options", .array(of: option, maxItems: 1000)),
    ]
    private static let names: [(String, APISchema)] = [
        ("object", .string(oneOf: PropertyObject.allCases.map(\.rawValue))), ("name", .string(maxLength: 60)),
    ]

    static let input: APISchema = .object(names + inputMembers + [("fast", .boolean)], required: ["label"])

    static let schema: APISchema = .object(
        [("id", .id)] + names + inputMembers + [
            ("fast", .string(oneOf: ["no", "building", "yes"])),
            (
                "change",
                .nullable(
                    .object([
                        ("type", .string(oneOf: types)),
                        ("stage", .string(oneOf: ["checking", "found", "converting"])),
                        ("done", .integer(minimum: 0)), ("failing", .integer(minimum: 0)),
                        (
                            "examples",
                            .array(of: .object([("value", .string), ("owner", .string), ("reason", .string)]))
                        ),
                    ]))
            ), ("createdAt", .dateTime), ("updatedAt", .dateTime),
        ], required: ["id", "object", "name", "label", "type"])
}

/// Definitions of properties as JSON.
struct PropertyAPI: Sendable {
    let services: AppServices
    let uses: PropertyUseFinder

    private var actions: PropertyActions { PropertyActions(services: services, uses: uses) }

    func add(to routes: inout RouteTable) {
        routes.schema("PropertyDefinition", PropertyResource.schema)
        routes.schema("PropertyDefinitionInput", PropertyResource.input)
        routes.api(
            .get, "/v1/property-definitions", .viewer,
            APIOperation(
                id: "listPropertyDefinitions", tag: "Properties",
                summary: "List the properties of contacts and companies",
                query: [.init("object", .string(oneOf: ["contact", "company"]), "Only of this kind.")],
                response: .page(of: .ref("PropertyDefinition")), problems: [422]), index)
        routes.api(
            .post, "/v1/property-definitions", .editor,
            APIOperation(
                id: "createPropertyDefinition", tag: "Properties", summary: "Add a property",
                details: "The name is the key in `properties`; it is made from the label unless it is given, and never "
                    + "changes.",
                body: .ref("PropertyDefinitionInput"), status: 201, response: .ref("PropertyDefinition")), create)
        routes.api(
            .put, "/v1/property-definitions/{id}", .editor,
            APIOperation(
                id: "replacePropertyDefinition", tag: "Properties", summary: "Change a property",
                details:
                    "Stored values are looked through before a new type, or a choice without an option, comes into "
                    + "force: when some do not fit the answer is 409 `values_do_not_fit` and `change` says which. Repeat "
                    + "with `clear=true` to take them away. Large workspaces answer 202 and do it in the background. "
                    + "With If-Match only if nobody changed the property since.",
                query: [.init("clear", .boolean, "Take values away that do not fit.")],
                body: .ref("PropertyDefinitionInput"), response: .ref("PropertyDefinition"), problems: [409, 412]),
            replace)
        routes.api(
            .delete, "/v1/property-definitions/{id}", .editor,
            APIOperation(
                id: "deletePropertyDefinition", tag: "Properties", summary: "Delete a property",
                details: "Its values go away from everybody in the background. Refused with `property_in_use` while "
                    + "something needs it.",
                status: 204, problems: [409]), delete)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        var object: PropertyObject?
        if let text = request.query.optional("object") {
            object = PropertyObject(rawValue: text)
            if object == nil { throw ValidationErrors("object", "This must be contact or company.") }
        }
        let wanted: PropertyObject? = object
        let found = try await services.database.read(scope.workspace) { transaction in
            try await PropertyQueries(scope: scope).all(wanted, in: transaction)
        }
        return try .json(CursorPage(data: found.map(PropertyResource.init), nextCursor: nil))
    }

    private func answer(
        _ property: PropertyDefinition, status: HTTPResponse.Status = .ok
    ) throws -> WebResponse {
        var headers: HTTPFields = [.eTag: "\"\(property.revision)\""]
        if status == .created { headers[.location] = "/v1/property-definitions/\(property.id)" }
        return try .json(PropertyResource(property), status: status, headers: headers)
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try PropertyInput(json: try await request.json([String: JSONValue].self))
        return try answer(try await actions.create(input, try request.scope), status: .created)
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        let id: PropertyID = try request.id()
        let input = try PropertyInput(json: try await request.json([String: JSONValue].self))
        let wanted: String? = request.headers[.ifMatch].flatMap { $0 == "*" ? nil : $0 }
        let revision: String? = wanted.map { $0.filter { $0 != "\"" } }
        let outcome = try await actions.update(
            id, input, revision: revision, clears: request.query.flag("clear"), try request.scope)
        switch outcome {
        case .saved(let property): return try answer(property)
        case .waiting(let property):
            guard let change = property.change, change.stage == .found else {
                return try answer(property, status: .accepted)
            }
            let examples: String = change.examples.map { "“\($0.value)”" }.joined(separator: ", ")
            throw WebError.conflict(
                "\(property.object.counted(change.failing)) hold a value that does not fit, such as \(examples). "
                    + "Mend them, or repeat with clear=true to take them away.", code: "values_do_not_fit")
        case .changedMeanwhile(let property):
            var error = WebError.preconditionFailed(
                "The property has changed since. Read it again and repeat the change.")
            error.headers[.eTag] = "\"\(property.revision)\""
            throw error
        case .missing: throw WebError.notFound
        }
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        switch try await actions.delete(try request.id(), try request.scope) {
        case .done: return .empty()
        case .missing: throw WebError.notFound
        case .inUse(let uses):
            let names: String = uses.map { "“\($0.name)”" }.joined(separator: ", ")
            throw WebError.conflict("The property is used by \(names).", code: "property_in_use")
        }
    }
}
