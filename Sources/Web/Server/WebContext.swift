import Hummingbird
import Logging
import NIOCore

/// What Hummingbird keeps of a request beside the request itself.
package struct WebContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let peerAddress: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peerAddress = source.channel.remoteAddress?.ipAddress ?? ""
    }

    /// A request that did not come over a socket: tests drive the responder directly.
    package init(peerAddress: String, logger: Logger) {
        coreContext = .init(source: Origin(logger: logger))
        self.peerAddress = peerAddress
    }

    private struct Origin: RequestContextSource {
        let logger: Logger
    }
}
