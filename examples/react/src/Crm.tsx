/** The CRM: a product screen that asks for its features and knows nothing of how they are decided. */
import { FeatureGate, useFeatureFlag, useFlags, useVariant } from '@esclusa/react';
import type { ReactElement } from 'react';

const DEALS: readonly { stage: string; deals: readonly (readonly [name: string, amount: string])[] }[] = [
  { stage: 'New', deals: [['Hotel Bolívar', '$ 12,400'], ['Café Quindío', '$ 3,150']] },
  { stage: 'Offer', deals: [['Clínica del Mar', '$ 48,000'], ['Textiles Luna', '$ 9,800']] },
  { stage: 'Won', deals: [['Aerolínea Sur', '$ 86,500']] },
];

export function Crm({ company, user }: { company: string; user: string }): ReactElement {
  const { crm_bulk_import, crm_export_audit_log } = useFlags(['crm_bulk_import', 'crm_export_audit_log']);
  return (
    <main className="card crm">
      <header>
        <Brand company={company} />
        <span className="user">{user}</span>
      </header>
      <nav>
        <button type="button">New deal</button>
        {crm_bulk_import && <button type="button">Import contacts</button>}
        {crm_export_audit_log && <button type="button">Audit log</button>}
      </nav>
      <Tour />
      <FeatureGate feature="crm_pipeline_board">
        <Board />
      </FeatureGate>
      <FeatureGate feature="crm_advanced_features" fallback={<Upgrade />}>
        <AdvancedCRMPanel />
      </FeatureGate>
    </main>
  );
}

function Brand({ company }: { company: string }): ReactElement {
  const { isEnabled } = useFeatureFlag('platform_white_label');
  const name = isEnabled ? company : 'Norte CRM';
  return (
    <h1 className={isEnabled ? 'brand own' : 'brand'}>
      <i>{name.slice(0, 1)}</i> {name}
    </h1>
  );
}

function Tour(): ReactElement | null {
  const variant = useVariant('crm_onboarding_tour');
  if (variant === null) return null;
  const texts: { readonly [variant: string]: string } = {
    classic: 'Welcome! Take the tour of five minutes.',
    checklist: 'Welcome! Three of five steps are left: invite your team.',
    video: 'Welcome! Watch how others sell with it.',
  };
  return <p className="tour">{texts[variant] ?? 'Welcome!'}</p>;
}

function Board(): ReactElement {
  return (
    <div className="board">
      {DEALS.map(({ stage, deals }) => (
        <div key={stage}>
          <h3>{stage}</h3>
          {deals.map(([name, amount]) => (
            <p key={name} className="deal">
              <span>{name}</span> <b>{amount}</b>
            </p>
          ))}
        </div>
      ))}
    </div>
  );
}

function AdvancedCRMPanel(): ReactElement {
  return (
    <section className="advanced" data-testid="advanced">
      <h2>Advanced CRM</h2>
      <ul>
        <li>
          <b>Custom fields</b> Renewal date, risk, account owner
        </li>
        <li>
          <b>Saved views</b> My offers of this month
        </li>
        <li>
          <b>Bulk edits</b> Move 24 deals to another stage
        </li>
      </ul>
      <FeatureGate feature="crm_deal_forecast">
        <Forecast />
      </FeatureGate>
    </section>
  );
}

function Forecast(): ReactElement {
  const months = [42, 55, 61, 58, 72, 90];
  return (
    <figure className="forecast" data-testid="forecast">
      <figcaption>Forecast of deals, next six months</figcaption>
      <div>
        {months.map((height) => (
          <i key={height} style={{ height: `${height}%` }} />
        ))}
      </div>
    </figure>
  );
}

function Upgrade(): ReactElement {
  return (
    <section className="upgrade" data-testid="upgrade">
      <h2>Advanced CRM</h2>
      <p>Custom fields, saved views and bulk edits are not on for you yet.</p>
    </section>
  );
}
