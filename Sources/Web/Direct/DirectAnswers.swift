import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Stands at the head of a connection's pipeline, before the server's parser, and answers the direct routes itself.
///
/// A request through the server costs a task, several changes of thread and three forms of its head; the hottest endpoints
/// of the portal are hit by every mail program and need none of them. Answers leave in the order of their requests
/// (RFC 9112 §9.3.2): a direct request behind an ordinary one that is still being answered goes the ordinary way too, and
/// an ordinary one behind direct ones waits here until they are answered. From the first head that is not plain
/// (``RequestHead``) the connection belongs to the server alone.
final class DirectAnswers: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Slot {
        let entry: DirectRoutes.Entry
        let path: String
        let started: ContinuousClock.Instant
        var answer: Result<WebResponse, any Error>?
    }

    /// Requests of a connection that may wait for their answers before no more is read.
    private static let slotLimit = 64

    private let routes: DirectRoutes
    private let finish: @Sendable (Result<WebResponse, any Error>, _ path: String) -> DirectResponse
    private var slots: [Slot] = []
    /// The number of the first slot's request on this connection.
    private var firstNumber = 0
    /// Requests that the server has not answered yet.
    private var ordinary = 0
    /// Bytes of an ordinary request's body that are still to come.
    private var bodyLeft = 0
    /// Whether the rest of the connection is the server's.
    private var isLeft = false
    private var held: [ByteBuffer] = []
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
        if isLeft, held.isEmpty { return context.fireChannelRead(data) }
        let bytes = unwrapInboundIn(data)
        if held.isEmpty {
            take(bytes, context)
        } else {
            held.append(bytes)
        }
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = bytes
        while rest.readableBytes > 0 {
            if bodyLeft > 0 {
                handOn(min(bodyLeft, rest.readableBytes), of: &rest, context)
                continue
            }
            let head = isLeft ? nil : RequestHead(rest)
            if let head, ordinary == 0, start(head, context) {
                rest.moveReaderIndex(forwardBy: head.byteCount)
                continue
            }
            guard slots.isEmpty else { return held.append(rest) }
            if let head {
                ordinary += 1
                bodyLeft = head.bodyLength ?? 0
                handOn(min(head.byteCount + bodyLeft, rest.readableBytes), of: &rest, context, head: head.byteCount)
            } else {
                isLeft = true
                context.fireChannelRead(wrapInboundOut(rest))
                return
            }
        }
    }

    /// Gives bytes to the server.
    /// - Parameter head: how many of them are a head and no body.
    private func handOn(
        _ count: Int, of rest: inout ByteBuffer, _ context: ChannelHandlerContext, head: Int = 0
    ) {
        bodyLeft -= count - head
        guard let part = rest.readSlice(length: count) else { return }
        context.fireChannelRead(wrapInboundOut(part))
    }

    private func start(_ head: RequestHead, _ context: ChannelHandlerContext) -> Bool {
        guard let (entry, request) = routes.match(head, peerAddress: peerAddress) else { return false }
        let number = firstNumber + slots.count
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        slots.append(Slot(entry: entry, path: entry.prefix + request.parameter, started: .now))
        let isTaken = entry.handler(request) { answer in
            loop.execute {
                let (handler, context) = bound.value
                handler.complete(number, answer, context)
            }
        }
        if !isTaken { slots.removeLast() }
        return isTaken
    }

    // MARK: Back-pressure

    /// No more is read while something waits here, while too many wait for answers, or while nobody takes the answers.
    func read(context: ChannelHandlerContext) {
        let isTaking = isLeft || ordinary > 0 || context.channel.isWritable
        if held.isEmpty, slots.count < Self.slotLimit, isTaking {
            wantsRead = false
            context.read()
        } else {
            wantsRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if wantsRead { read(context: context) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Out

    /// An answer of the server has gone down the connection.
    func ordinaryAnswered() {
        ordinary -= 1
    }

    private func complete(_ number: Int, _ answer: Result<WebResponse, any Error>, _ context: ChannelHandlerContext) {
        let index = number - firstNumber
        guard slots.indices.contains(index) else { return }
        slots[index].answer = answer
        var sent = 0
        while sent < slots.count, let answer = slots[sent].answer {
            let response = finish(answer, slots[sent].path)
            slots[sent].entry.meter.record(response.status, ContinuousClock.now - slots[sent].started)
            context.write(wrapOutboundOut(response.bytes), promise: nil)
            sent += 1
        }
        guard sent > 0 else { return }
        slots.removeFirst(sent)
        firstNumber += sent
        context.flush()
        goOn(context)
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
        if slots.isEmpty, !held.isEmpty {
            let waiting = held
            held = []
            for bytes in waiting { channelRead(context: context, data: wrapInboundOut(bytes)) }
            if held.isEmpty { context.fireChannelReadComplete() }
        }
        if wantsRead { read(context: context) }
        if slots.isEmpty, let (mode, promise) = close {
            close = nil
            context.close(mode: mode, promise: promise)
        }
    }
}
