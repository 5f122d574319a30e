import Hummingbird

/// What a direct handler may see of a request.
package struct DirectRequest: Sendable {
    /// The last part of the path, which the route's pattern leaves open.
    package let parameter: String
    package let queryText: String
    package let headers: HTTPFields
    package let clientAddress: String

    package var query: FormValues { FormValues(urlEncoded: queryText) }
}

/// Takes a request on the event loop of its connection, without a task of its own, and answers later from anywhere, once.
///
/// Returns false to leave the request to the route's ordinary handler: whatever needs waiting, and whatever is wrong with
/// the request, goes that way. It must not block.
package typealias DirectHandler =
    @Sendable (DirectRequest, @escaping @Sendable (Result<WebResponse, any Error>) -> Void) -> Bool

/// The routes that can be answered directly: those whose path ends in the only parameter.
struct DirectRoutes: Sendable {
    struct Entry: Sendable {
        let prefix: String
        let handler: DirectHandler
        let meter: RouteMeter
    }

    private let entries: [Entry]
    private let trustedProxies: Set<String>

    init(_ routes: [Route], trustedProxies: Set<String>) {
        self.trustedProxies = trustedProxies
        entries = routes.compactMap { route in
            guard let handler = route.direct, let brace = route.path.firstIndex(of: "{") else { return nil }
            return Entry(prefix: String(route.path[..<brace]), handler: handler, meter: RouteMeter(route))
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The route and what its handler sees; nil when the request has to go the ordinary way. Requests with a body and
    /// those that end their connection do.
    func match(_ head: HTTPRequest, peerAddress: String) -> (Entry, DirectRequest)? {
        guard head.method == .get, let path = head.path, let entry = entries.first(where: { path.hasPrefix($0.prefix) })
        else { return nil }
        let fields = head.headerFields
        guard fields[.contentLength] == nil, fields[.transferEncoding] == nil, fields[.expect] == nil,
            fields[.connection].map({ $0.lowercased() == "keep-alive" }) ?? true
        else { return nil }
        let rest = path.utf8.dropFirst(entry.prefix.utf8.count)
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        let parameter = rest[..<(mark ?? rest.endIndex)]
        guard !parameter.isEmpty, !parameter.contains(UInt8(ascii: "/")), !parameter.contains(UInt8(ascii: "%")) else {
            return nil
        }
        let address = ClientAddress.of(fields, peer: peerAddress, trustedProxies: trustedProxies)
        let request = DirectRequest(
            parameter: String(decoding: parameter, as: UTF8.self),
            queryText: mark.map { String(decoding: rest[rest.index(after: $0)...], as: UTF8.self) } ?? "",
            headers: fields, clientAddress: address)
        return (entry, request)
    }
}

/// Whose request it is when proxies stand in front of us.
enum ClientAddress {
    /// The peer's address; behind a trusted proxy the last address that it was forwarded for.
    static func of(_ fields: HTTPFields, peer: String, trustedProxies: Set<String>) -> String {
        guard trustedProxies.contains(peer), let forwarded = fields[.forwardedFor],
            let last = forwarded.split(separator: ",").last
        else { return peer }
        return last.trimmed
    }
}
