/// What happens to the request machine.
package enum RequestEvent: Sendable {
    /// A client sent a request. The runner gives each request a ticket that is never used twice.
    case requested(Ticket, Request, from: LinkID)
    /// The answer to `RequestAction.read`.
    case read(Ticket, RequestReadResult)
    /// The dispatcher's answer to `RequestAction.change`.
    case changed(Ticket, ChangeResult)
    /// The client's connection ended: nobody waits for its replies.
    case connectionEnded(LinkID)
    case leadershipChanged(LeadershipStatus)
    /// The dispatcher has ended and answers no changes.
    case stopped
}

/// What the runner is to do for a request.
package enum RequestAction: Sendable {
    case read(Ticket, RequestRead)
    /// Hands a change to the dispatcher.
    case change(Ticket, ChangeRequest)
    /// Hands a row to the dispatcher that may be newer than its memory. The change that follows is judged after it.
    case refresh(PlannedJob)
    /// The last action for a request, except for one that started a watch.
    case reply(Ticket, RequestReply)
    /// Sends executions to the client as they change, all of them or one job's.
    case startWatch(Ticket, JobID?)
    /// Ends the watch that was started under the ticket.
    case endWatch(Ticket, ClientError)
    /// Ends the watch that the client started with the same message id on the same connection.
    case stopWatch(Ticket)
    /// Ends the watches of all clients.
    case endAllWatches(ClientError)
}
