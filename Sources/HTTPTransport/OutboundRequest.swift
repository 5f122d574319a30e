/// A request to another server.
package struct OutboundRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// Who chose the URL.
    package enum Trust: Sendable, Equatable {
        /// A setting of the operator: any address, http allowed.
        case operatorSetting
        /// A user: https on port 443 only, and only addresses of the public internet.
        case user
        /// A user, and the answer is only looked at: http on port 80 or https on port 443, and only addresses of the
        /// public internet.
        case publicWeb
    }

    package var method: Method
    package var url: String
    package var trust: Trust
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Redirects that are followed, each one checked anew; none unless asked.
    package var redirectLimit = 0
    /// Milliseconds until the connection must stand.
    package var connectTimeout = 10_000
    /// Milliseconds for everything, redirects included.
    package var timeout = 20_000
    /// Bytes of the body after decompression; more is an error.
    package var responseLimit = 1 << 20

    package init(
        _ method: Method, _ url: String, trust: Trust, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.trust = trust
        self.headers = headers
        self.body = body
    }
}

package struct OutboundResponse: Sendable {
    package let status: Int
    /// In the order they came, names as sent.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// Where the answer came from, after redirects.
    package let url: String

    /// The first header of a name, in any case.
    package func header(_ name: String) -> String? {
        let wanted: String = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Why there is no response. The words are for people and do not tell what an inner network looks like.
package enum OutboundFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case invalidURL(String)
    /// The URL leads to an address that is not on the public internet.
    case blockedAddress
    case invalidHeader(String)
    case unreachable(String)
    case untrustedCertificate
    case timedOut
    case tooLarge
    case tooManyRedirects
    case cancelled
    case stopped
    case broken(String)

    package var description: String {
        switch self {
        case .invalidURL(let reason): reason
        case .blockedAddress: "This address cannot be used. Enter a public https address."
        case .invalidHeader(let name): "The header \(name) has characters that are not allowed."
        case .unreachable(let host): "There is no answer from \(host)."
        case .untrustedCertificate: "The server's certificate is not trusted."
        case .timedOut: "The server did not answer in time."
        case .tooLarge: "The answer is too large."
        case .tooManyRedirects: "The server redirected too often."
        case .cancelled: "The request was cancelled."
        case .stopped: "The portal is shutting down."
        case .broken(let reason): "The connection broke: \(reason)."
        }
    }
}
