import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Stands behind the server's parser and tells ``DirectAnswers``, which it puts in front of it, of each answer that leaves.
final class OrdinaryAnswers: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let direct: DirectAnswers

    init(_ direct: DirectAnswers) {
        self.direct = direct
    }

    func handlerAdded(context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(direct, position: .first)
        } catch {
            context.fireErrorCaught(error)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let isLast = if case .end = unwrapOutboundIn(data) { true } else { false }
        context.write(data, promise: promise)
        if isLast { direct.ordinaryAnswered() }
    }
}
