import Core

/// Who may use a route.
package enum Access: Sendable, Equatable {
    /// Anyone, signed in or not.
    case anyone
    /// Members with at least this role in the workspace they have open.
    case role(Role)

    package static let viewer = Access.role(.viewer)
    package static let editor = Access.role(.editor)
    package static let admin = Access.role(.admin)
    package static let owner = Access.role(.owner)
}

/// How much body a route takes.
package enum BodyLimit: Sendable, Equatable {
    /// An ordinary form or JSON document: 1 MiB.
    case form
    case bytes(Int)
    /// A streamed upload; the handler reads it piece by piece and sets its own bound.
    case upload

    var bytes: Int {
        switch self {
        case .form: 1 << 20
        case .bytes(let count): count
        case .upload: 1 << 40
        }
    }
}

/// Which face of the portal a route belongs to.
package enum Face: Sendable, Equatable {
    /// HTML for members: session cookie, forgery protection.
    case page
    /// HTML for people who are not signed in yet: the same protection as a page, no session asked for.
    case visitor
    /// Answers for recipients and machines: neither session nor form token; each handler has its own proof.
    case open
    /// JSON: bearer token, or the browser's session with the forgery token in a header.
    case api
    /// JSON for host products: a service key as bearer token, and the tenant it speaks for in a header.
    case service
    /// The hottest endpoints: nothing but the handler.
    case raw
}

package typealias Handler = @Sendable (WebRequest) async throws -> WebResponse

/// One line of the table of contents: a method and a path, who may use it and what answers.
package struct Route: Sendable {
    package let method: HTTPRequest.Method
    /// The pattern; parameters are written `{id}`.
    package let path: String
    package let face: Face
    package let access: Access
    package let body: BodyLimit
    /// What the API documentation says of it; nil for routes outside the JSON face.
    package let operation: APIOperation?
    package let handler: Handler
    /// Answers without a task where it can; what it leaves, `handler` takes.
    let direct: DirectHandler?

    /// Whether an `Idempotency-Key` is looked at: POST and PATCH of the JSON faces, once it is known who asks.
    var isRepeatedByKey: Bool {
        (face == .api || face == .service) && access != .anyone && (method == .post || method == .patch)
    }
}

/// All routes of the portal. Each slice adds its own; `Portal` builds the server from the whole.
package struct RouteTable: Sendable {
    package private(set) var routes: [Route] = []
    package private(set) var schemas: [(name: String, schema: APISchema)] = []

    package init() {}

    /// A page for members. Signed-out visitors of a GET are sent to sign in.
    package mutating func page(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, body: BodyLimit = .form,
        _ handler: @escaping Handler
    ) {
        add(method, path, .page, access, body, nil, handler)
    }

    /// A page for people who are not signed in yet: signing in, registering, resetting a password.
    package mutating func visitor(
        _ method: HTTPRequest.Method, _ path: String, body: BodyLimit = .form, _ handler: @escaping Handler
    ) {
        add(method, path, .visitor, .anyone, body, nil, handler)
    }

    /// A page or an endpoint for recipients, visitors of public pages and machines.
    package mutating func open(
        _ method: HTTPRequest.Method, _ path: String, body: BodyLimit = .form, operation: APIOperation? = nil,
        _ handler: @escaping Handler
    ) {
        add(method, path, .open, .anyone, body, operation, handler)
    }

    /// A route of the JSON face, with what its documentation says.
    package mutating func api(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, body: BodyLimit = .form,
        _ operation: APIOperation, _ handler: @escaping Handler
    ) {
        add(method, path, .api, access, body, operation, handler)
    }

    /// A route for host products, who come with a service key.
    package mutating func service(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, body: BodyLimit = .form,
        _ operation: APIOperation, _ handler: @escaping Handler
    ) {
        add(method, path, .service, access, body, operation, handler)
    }

    /// Puts something around the handlers of the routes that are chosen.
    package mutating func wrap(_ isChosen: (Route) -> Bool, by wrapper: (Route) -> Handler) {
        routes = routes.map { route in
            guard isChosen(route) else { return route }
            return Route(
                method: route.method, path: route.path, face: route.face, access: route.access, body: route.body,
                operation: route.operation, handler: wrapper(route), direct: nil)
        }
    }

    /// An endpoint that must cost as little as possible: no session, no log line, no page machinery.
    ///
    /// - Parameter direct: answers on the connection's own event loop what it can; the path must end in its only
    ///   parameter.
    package mutating func raw(
        _ method: HTTPRequest.Method, _ path: String, operation: APIOperation? = nil, direct: DirectHandler? = nil,
        _ handler: @escaping Handler
    ) {
        add(method, path, .raw, .anyone, .form, operation, handler, direct)
    }

    /// Names a schema that operations refer to with `.ref(name)`.
    package mutating func schema(_ name: String, _ schema: APISchema) {
        schemas.append((name, schema))
    }

    private mutating func add(
        _ method: HTTPRequest.Method, _ path: String, _ face: Face, _ access: Access, _ body: BodyLimit,
        _ operation: APIOperation?, _ handler: @escaping Handler, _ direct: DirectHandler? = nil
    ) {
        routes.append(
            Route(
                method: method, path: path, face: face, access: access, body: body, operation: operation,
                handler: handler, direct: direct))
    }
}
