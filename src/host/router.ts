// Serves the site contract over an open site: each call is checked against the role table, then handed to the site as it is.
import { implement } from '@orpc/server';
import { hostContract } from '#host/bundle-contract.ts';
import { checkedCall } from '#host/checked-call.ts';
import { toContractError } from '#host/host-error.ts';
import type { Session } from '#host/session.ts';
import { type Actor, type Site, systemActor } from '#site/site.ts';

export interface HostContext {
  /** Of the connection that the call came over. */
  readonly session: Session;
}

/** The router of a site; give it a session per connection. */
export function createSiteRouter(site: Site) {
  const contract = implement(hostContract)
    .$context<HostContext>()
    .use(async ({ context, next, path }) => {
      const actor: Actor = context.session.person() ?? systemActor;
      try {
        checkedCall(site, path.join('.'), actor);
        return await next({ context: { actor } });
      } catch (error) {
        throw toContractError(error, site.logger);
      }
    });

  /** A stream whose refusals reach the caller as those of a call do. */
  async function* stream<T>(events: AsyncIterable<T>): AsyncGenerator<T, void> {
    try {
      for await (const event of events) yield event;
    } catch (error) {
      throw toContractError(error, site.logger);
    }
  }

  return contract.router({
    session: {
      signIn: contract.session.signIn.handler(({ input, context }) => {
        const person = site.session.signIn(input);
        context.session.begin(person);
        return person;
      }),
      signOut: contract.session.signOut.handler(({ context }) => {
        if (context.actor !== systemActor) site.session.signOut(context.actor);
        context.session.end();
      }),
      current: contract.session.current.handler(({ context }) => context.session.person()),
    },
    status: contract.status.handler(() => site.status()),
    enrolment: {
      accept: contract.enrolment.accept.handler(({ input, context: { actor } }) =>
        site.enrolment.accept({ ...input, actor }),
      ),
    },
    people: {
      list: contract.people.list.handler(() => site.people.list()),
      add: contract.people.add.handler(({ input: { name, role, secret }, context: { actor } }) =>
        site.people.add({ name, role }, secret, actor),
      ),
    },
    ingest: {
      paths: contract.ingest.paths.handler(({ input, context: { actor }, signal }) =>
        stream(site.ingest.ingestPaths({ ...input, actor, signal: signal ?? neverAborted })),
      ),
      open: contract.ingest.open.handler(({ input, context: { actor } }) =>
        site.ingest.openBatch({ ...input, actor }),
      ),
      push: contract.ingest.push.handler(({ input }) => site.ingest.push(input)),
      close: contract.ingest.close.handler(({ input }) => site.ingest.closeBatch(input.batchId)),
      outcomes: contract.ingest.outcomes.handler(({ input }) => site.ingest.listOutcomes(input)),
    },
    mapping: {
      suggest: contract.mapping.suggest.handler(({ input }) => site.mapping.suggest(input.head)),
      preview: contract.mapping.preview.handler(({ input }) => site.mapping.preview(input)),
    },
    quarantine: {
      list: contract.quarantine.list.handler(({ input }) => site.quarantine.list(input)),
      release: contract.quarantine.release.handler(({ input, context: { actor } }) =>
        site.quarantine.release(input, actor),
      ),
      delete: contract.quarantine.delete.handler(({ input, context: { actor } }) =>
        site.quarantine.delete(input, actor),
      ),
    },
    sources: {
      list: contract.sources.list.handler(() => site.sources.list()),
      save: contract.sources.save.handler(({ input, context: { actor } }) => site.sources.save(input, actor)),
      remove: contract.sources.remove.handler(({ input, context: { actor } }) =>
        site.sources.remove(input.sourceId, actor),
      ),
      run: contract.sources.run.handler(({ input, context: { actor }, signal }) =>
        stream(site.sources.run(input.sourceId, actor, signal ?? neverAborted)),
      ),
    },
    records: contract.records.handler(() => site.records()),
    consent: {
      list: contract.consent.list.handler(({ input, context: { actor } }) => site.consent.list(input, actor)),
      grant: contract.consent.grant.handler(({ input, context: { actor } }) =>
        site.consent.grant(input, actor),
      ),
      withdraw: contract.consent.withdraw.handler(({ input, context: { actor } }) =>
        site.consent.withdraw(input, actor),
      ),
      rounds: contract.consent.rounds.handler(({ input, context: { actor } }) =>
        site.consent.rounds(input.subjectId, actor),
      ),
      requestRemedy: contract.consent.requestRemedy.handler(({ input, context: { actor } }) =>
        site.consent.requestRemedy(input, actor),
      ),
      importOptOuts: contract.consent.importOptOuts.handler(({ input, context: { actor } }) =>
        site.consent.importOptOuts(input, actor),
      ),
    },
    researchStudies: contract.researchStudies.handler(() => site.researchStudies()),
    cohort: {
      preview: contract.cohort.preview.handler(({ input, context: { actor }, signal = neverAborted }) =>
        site.cohort.preview(input.researchStudyId, { actor, signal }),
      ),
    },
    quality: {
      report: contract.quality.report.handler(({ input, context: { actor }, signal = neverAborted }) =>
        stream(site.quality.report(input.researchStudyId, { actor, signal })),
      ),
    },
    round: {
      current: contract.round.current.handler(({ input }) => site.round.current(input.researchStudyId)),
      run: contract.round.run.handler(({ input, context: { actor } }) =>
        stream(site.round.run(input.researchStudyId, actor)),
      ),
      cancel: contract.round.cancel.handler(({ input }) => site.round.cancel(input.researchStudyId)),
    },
    updates: {
      list: contract.updates.list.handler(() => site.updates.list()),
      review: contract.updates.review.handler(({ input, context: { actor } }) =>
        site.updates.review(input.updateId, actor),
      ),
      approve: contract.updates.approve.handler(({ input, context: { actor } }) =>
        site.updates.approve({ ...input, name: actor.name }),
      ),
      refuse: contract.updates.refuse.handler(({ input, context: { actor } }) =>
        site.updates.refuse({ ...input, name: actor.name }),
      ),
    },
    sync: contract.sync.handler(({ context: { actor } }) => site.sync(actor)),
    bundle: {
      export: contract.bundle.export.handler(({ input, context: { actor } }) =>
        site.bundle.export(input, actor),
      ),
      import: contract.bundle.import.handler(({ input, context: { actor } }) =>
        site.bundle.import(input.directory, actor),
      ),
    },
    evaluations: contract.evaluations.handler(({ input }) => site.evaluations(input.researchStudyId)),
    audit: {
      list: contract.audit.list.handler(({ input, context: { actor } }) => site.audit.list(input, actor)),
      verify: contract.audit.verify.handler(({ context: { actor } }) => site.audit.verify(actor)),
      export: contract.audit.export.handler(({ input, context: { actor } }) =>
        site.audit.export(input.directory, actor),
      ),
    },
  });
}

const neverAborted = new AbortController().signal;
