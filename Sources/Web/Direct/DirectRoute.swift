import Hummingbird

/// What a direct handler may see of a request.
package struct DirectRequest: Sendable {
    /// The last part of the path, which the route's pattern leaves open.
    package let parameter: String
    package let queryText: String
    package let head: RequestHead
    package let clientAddress: String

    package init(parameter: String, queryText: String, head: RequestHead, clientAddress: String) {
        self.parameter = parameter
        self.queryText = queryText
        self.head = head
        self.clientAddress = clientAddress
    }
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
        let prefixBytes: [UInt8]
        let handler: DirectHandler
        let meter: RouteMeter
    }

    private let entries: [Entry]
    private let trustedProxies: Set<String>

    init(_ routes: [Route], trustedProxies: Set<String>) {
        self.trustedProxies = trustedProxies
        entries = routes.compactMap { route in
            guard let handler = route.direct, let brace = route.path.firstIndex(of: "{") else { return nil }
            let prefix = String(route.path[..<brace])
            return Entry(
                prefix: prefix, prefixBytes: Array(prefix.utf8), handler: handler, meter: RouteMeter(route))
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The route and what its handler sees; nil when the request has to go the ordinary way, as those with a body do.
    func match(_ head: RequestHead, peerAddress: String) -> (Entry, DirectRequest)? {
        guard head.isGet, head.bodyLength == nil else { return nil }
        for entry in entries {
            guard let rest = head.target(after: entry.prefixBytes) else { continue }
            let mark = rest.firstIndex(of: UInt8(ascii: "?"))
            let parameter = rest[..<(mark ?? rest.endIndex)]
            guard !parameter.isEmpty, !parameter.contains(UInt8(ascii: "/")), !parameter.contains(UInt8(ascii: "%"))
            else { return nil }
            let forwarded = trustedProxies.contains(peerAddress) ? head.value(of: "x-forwarded-for") : nil
            let request = DirectRequest(
                parameter: String(Substring(parameter)),
                queryText: mark.map { String(Substring(rest[rest.index(after: $0)...])) } ?? "", head: head,
                clientAddress: ClientAddress.of(forwarded: forwarded, peer: peerAddress))
            return (entry, request)
        }
        return nil
    }
}

/// Whose request it is when proxies stand in front of us.
enum ClientAddress {
    /// The peer's address; behind a trusted proxy the last address that it was forwarded for.
    static func of(_ fields: HTTPFields, peer: String, trustedProxies: Set<String>) -> String {
        of(forwarded: trustedProxies.contains(peer) ? fields[.forwardedFor] : nil, peer: peer)
    }

    /// - Parameter forwarded: what a trusted proxy says; nil without one.
    static func of(forwarded: String?, peer: String) -> String {
        guard let last = forwarded?.split(separator: ",").last else { return peer }
        return last.trimmed
    }
}
