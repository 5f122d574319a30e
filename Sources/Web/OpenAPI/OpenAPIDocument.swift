import Core

/// The OpenAPI 3.1 description of all routes that have an operation, made from the table that serves them.
package struct OpenAPIDocument: Sendable {
    package let json: JSONValue

    package init(routes: RouteTable, version: String, serverURL: String) {
        var paths: [String: JSONValue] = [:]
        for route in routes.routes {
            guard let operation = route.operation else { continue }
            var methods: [String: JSONValue] = [:]
            if case .object(let known)? = paths[route.path] { methods = known }
            methods[route.method.rawValue.lowercased()] = Self.describe(operation, of: route)
            paths[route.path] = .object(methods)
        }
        var schemas: [String: JSONValue] = ["Problem": Self.problemSchema.json]
        for (name, schema) in routes.schemas { schemas[name] = schema.json }
        let bearer: JSONValue = .object([
            "type": .string("http"), "scheme": .string("bearer"), "bearerFormat": .string("JWT"),
        ])
        json = .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string("Marketing Portal API"), "version": .string(version),
                "description": .string("Contacts, lists, campaigns and what became of them."),
                "license": .object(["name": .string("Proprietary"), "identifier": .string("LicenseRef-Proprietary")]),
            ]),
            "servers": .array([.object(["url": .string(serverURL)])]),
            "paths": .object(paths),
            "components": .object([
                "schemas": .object(schemas),
                "securitySchemes": .object(["bearer": bearer, "serviceKey": Self.serviceKey]),
            ]),
        ])
    }

    private static let serviceKey: JSONValue = .object([
        "type": .string("http"), "scheme": .string("bearer"),
        "description": .string("The key of the installation, with the tenant's id in a header, or of one workspace."),
    ])

    private static let problemSchema: APISchema = .object(
        [
            ("type", .string(format: "uri-reference")), ("title", .string), ("status", .integer), ("detail", .string),
            ("code", .string), ("instance", .string(format: "uri-reference")), ("requestId", .string),
            (
                "errors",
                .array(of: .object([("pointer", .string), ("message", .string)], required: ["pointer", "message"]))
            ),
        ], required: ["type", "title", "status", "detail", "code"])

    private static func describe(_ operation: APIOperation, of route: Route) -> JSONValue {
        var members: [String: JSONValue] = [
            "operationId": .string(operation.id), "tags": .array([.string(operation.tag)]),
            "summary": .string(operation.summary), "responses": responses(of: operation, route),
        ]
        if !operation.details.isEmpty { members["description"] = .string(operation.details) }
        let parameters =
            pathParameters(of: route.path) + operation.query.map(queryParameter)
            + (route.face == .service ? [tenantParameter] : []) + (route.isRepeatedByKey ? [keyParameter] : [])
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if route.access != .anyone {
            let scheme: String = route.face == .service ? "serviceKey" : "bearer"
            members["security"] = .array([.object([scheme: .array([])])])
        }
        var bodies: [String: JSONValue] = [:]
        if let body = operation.body { bodies["application/json"] = .object(["schema": body.json]) }
        for type in operation.otherBodies { bodies[type] = .object(["schema": APISchema.string.json]) }
        if !bodies.isEmpty {
            members["requestBody"] = .object(["required": .bool(true), "content": .object(bodies)])
        }
        return .object(members)
    }

    private static func pathParameters(of path: String) -> [JSONValue] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            let name = String(part.dropFirst().dropLast())
            let schema = name.lowercased().hasSuffix("id") ? APISchema.id : APISchema.string
            return .object([
                "name": .string(name), "in": .string("path"), "required": .bool(true), "schema": schema.json,
            ])
        }
    }

    private static func queryParameter(_ parameter: APIOperation.Parameter) -> JSONValue {
        .object([
            "name": .string(parameter.name), "in": .string("query"), "required": .bool(parameter.required),
            "description": .string(parameter.summary), "schema": parameter.schema.json,
        ])
    }

    private static let tenantParameter: JSONValue = .object([
        "name": .string("X-External-Tenant-Id"), "in": .string("header"), "required": .bool(false),
        "description": .string("The tenant that is meant; required with the key of the installation."),
        "schema": .object(["type": .string("string"), "minLength": .int(1), "maxLength": .int(200)]),
    ])

    private static let keyParameter: JSONValue = .object([
        "name": .string("Idempotency-Key"), "in": .string("header"), "required": .bool(false),
        "description": .string("Repeating the request with the same key has no second effect."),
        "schema": .object([
            "type": .string("string"), "minLength": .int(1), "maxLength": .int(255),
        ]),
    ])

    private static func responses(of operation: APIOperation, _ route: Route) -> JSONValue {
        var success: [String: JSONValue] = ["description": .string(operation.summary)]
        if let response = operation.response {
            success["content"] = .object([operation.responseType: .object(["schema": response.json])])
        }
        var answers: [String: JSONValue] = [String(operation.status): .object(success)]
        var problems = Set(operation.problems)
        if route.access != .anyone { problems.formUnion([401, 403]) }
        if route.face == .service { problems.formUnion([400, 429]) }
        if route.path.contains("{") { problems.insert(404) }
        if operation.body != nil { problems.formUnion([400, 422]) }
        if route.isRepeatedByKey { problems.formUnion([400, 409, 422]) }
        for status in problems {
            answers[String(status)] = .object([
                "description": .string(HTTPResponse.Status(code: status).reasonPhrase),
                "content": .object([
                    "application/problem+json": .object(["schema": APISchema.ref("Problem").json])
                ]),
            ])
        }
        return .object(answers)
    }
}
