import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends connections of clients that send a body, or take an answer, so slowly that they only hold a place: see `ClientPace`.
package final class SlowClientGuard: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    private var pace: ClientPace
    private var next: Scheduled<Void>?
    private let interval: TimeAmount

    package convenience init() {
        self.init(.usual, interval: .seconds(5))
    }

    /// - Parameter interval: between two looks.
    init(_ limits: ClientPace.Limits, interval: TimeAmount) {
        pace = ClientPace(limits)
        self.interval = interval
    }

    package func handlerRemoved(context _: ChannelHandlerContext) {
        next?.cancel()
        next = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        next?.cancel()
        next = nil
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: pace.beginBody(at: .now())
        case .body(let buffer): pace.receive(buffer.readableBytes)
        case .end: pace.endBody()
        }
        context.fireChannelRead(data)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        pace.rest(at: .now())
        // A request that came whole needs no watching: most do.
        watch(context)
        context.fireChannelReadComplete()
    }

    package func read(context: ChannelHandlerContext) {
        pace.ask(at: .now())
        context.read()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        pace.take(isWritable: context.channel.isWritable, at: .now())
        watch(context)
        context.fireChannelWritabilityChanged()
    }

    private func watch(_ context: ChannelHandlerContext) {
        guard next == nil, pace.isWatched else { return }
        next = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in
            next = nil
            if pace.isTooSlow(at: .now()) {
                context.close(promise: nil)
            } else {
                watch(context)
            }
        }
    }
}

@available(*, unavailable)
extension SlowClientGuard: Sendable {}
