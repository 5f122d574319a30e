import Core

/// What the API documentation says of one route.
package struct APIOperation: Sendable {
    package struct Parameter: Sendable {
        package let name: String
        package let schema: APISchema
        package let summary: String
        package let required: Bool

        package init(_ name: String, _ schema: APISchema, _ summary: String = "", required: Bool = false) {
            self.name = name
            self.schema = schema
            self.summary = summary
            self.required = required
        }
    }

    /// The operation's unique name in clients: `listContacts`.
    package let id: String
    package let tag: String
    package let summary: String
    package let details: String
    /// Query parameters; path parameters are read off the route.
    package let query: [Parameter]
    /// The JSON body, if it takes one.
    package let body: APISchema?
    /// Other content types that the body may have, like `text/csv`.
    package let otherBodies: [String]
    package let status: Int
    /// The answer's JSON; nil when there is none.
    package let response: APISchema?
    package let responseType: String
    /// Problems that this operation answers beside those that every operation may: 401, 403, 404, 422.
    package let problems: [Int]

    package init(
        id: String, tag: String, summary: String, details: String = "", query: [Parameter] = [],
        body: APISchema? = nil, otherBodies: [String] = [], status: Int = 200, response: APISchema? = nil,
        responseType: String = "application/json", problems: [Int] = []
    ) {
        self.id = id
        self.tag = tag
        self.summary = summary
        self.details = details
        self.query = query
        self.body = body
        self.otherBodies = otherBodies
        self.status = status
        self.response = response
        self.responseType = responseType
        self.problems = problems
    }

    /// The same operation at another place.
    package func renamed(_ id: String, tag: String) -> APIOperation {
        APIOperation(
            id: id, tag: tag, summary: summary, details: details, query: query, body: body, otherBodies: otherBodies,
            status: status, response: response, responseType: responseType, problems: problems)
    }

    /// The parameters of every list.
    package static let paging: [Parameter] = [
        Parameter("limit", .integer(minimum: 1, maximum: 200), "How many to answer at most. 50 unless told."),
        Parameter("cursor", .string, "The `nextCursor` of the page before."),
    ]
}
