import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Stands in a connection's pipeline before Hummingbird and answers the direct routes itself.
///
/// A request through Hummingbird costs a task and several changes of thread; the hottest endpoints of the portal are hit
/// by every mail program and need neither. Answers leave in the order of their requests (RFC 9112 §9.3.2): a direct
/// request behind an ordinary one that is still being answered goes the ordinary way too, and an ordinary one behind
/// direct ones waits here until they are answered.
final class DirectAnswers: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private struct Slot {
        let entry: DirectRoutes.Entry
        let started: ContinuousClock.Instant
        var response: DirectResponse?
    }

    private let routes: DirectRoutes
    private let finish: @Sendable (Result<WebResponse, any Error>, _ path: String) -> DirectResponse
    private var slots: [Slot] = []
    /// The number of the first slot's request on this connection.
    private var firstNumber = 0
    /// Requests that Hummingbird has not answered yet.
    private var ordinary = 0
    private var isSkippingRest = false
    private var held: [HTTPRequestPart] = []
    private var wantsRead = false
    private var close: (mode: CloseMode, promise: EventLoopPromise<Void>?)?
    private var peerAddress = ""

    /// - Parameter finish: makes the response of what a handler answered.
    init(
        routes: DirectRoutes,
        finish: @escaping @Sendable (Result<WebResponse, any Error>, _ path: String) -> DirectResponse
    ) {
        self.routes = routes
        self.finish = finish
    }

    func handlerAdded(context: ChannelHandlerContext) {
        peerAddress = context.channel.remoteAddress?.ipAddress ?? ""
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if held.isEmpty {
            take(part, context)
        } else {
            held.append(part)
        }
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            if ordinary == 0, start(head, context) {
                isSkippingRest = true
            } else if slots.isEmpty {
                ordinary += 1
                context.fireChannelRead(wrapInboundOut(part))
            } else {
                held.append(part)
            }
        case .body:
            if !isSkippingRest { context.fireChannelRead(wrapInboundOut(part)) }
        case .end:
            if !isSkippingRest { context.fireChannelRead(wrapInboundOut(part)) }
            isSkippingRest = false
        }
    }

    private func start(_ head: HTTPRequest, _ context: ChannelHandlerContext) -> Bool {
        guard let (entry, request) = routes.match(head, peerAddress: peerAddress) else { return false }
        let number = firstNumber + slots.count
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        let finish = finish
        slots.append(Slot(entry: entry, started: .now))
        let isTaken = entry.handler(request) { answer in
            let response = finish(answer, entry.prefix + request.parameter)
            loop.execute {
                let (handler, context) = bound.value
                handler.complete(number, response, context)
            }
        }
        if !isTaken { slots.removeLast() }
        return isTaken
    }

    /// While something waits here no more is read.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty {
            context.read()
        } else {
            wantsRead = true
        }
    }

    // MARK: Out

    private func complete(_ number: Int, _ response: DirectResponse, _ context: ChannelHandlerContext) {
        let index = number - firstNumber
        guard slots.indices.contains(index) else { return }
        slots[index].response = response
        var sent = 0
        while sent < slots.count, let response = slots[sent].response {
            slots[sent].entry.meter.record(response.head.status, ContinuousClock.now - slots[sent].started)
            send(response, context)
            sent += 1
        }
        guard sent > 0 else { return }
        slots.removeFirst(sent)
        firstNumber += sent
        context.flush()
        if slots.isEmpty { goOn(context) }
    }

    private func send(_ response: DirectResponse, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(response.head)), promise: nil)
        if response.body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(response.body)), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { ordinary -= 1 }
        context.write(data, promise: promise)
    }

    /// Idle and shutting-down connections are closed once what was taken here is answered.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if slots.isEmpty {
            context.close(mode: mode, promise: promise)
        } else {
            close?.promise?.succeed()
            close = (mode, promise)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        slots = []
        held = []
        close?.promise?.succeed()
        close = nil
        context.fireChannelInactive()
    }

    private func goOn(_ context: ChannelHandlerContext) {
        let parts = held
        held = []
        for part in parts { channelRead(context: context, data: wrapInboundOut(part)) }
        if held.isEmpty, !parts.isEmpty {
            context.fireChannelReadComplete()
            if wantsRead {
                wantsRead = false
                context.read()
            }
        }
        if slots.isEmpty, let (mode, promise) = close {
            close = nil
            context.close(mode: mode, promise: promise)
        }
    }
}
