export interface NextStepsOptions {
  /** Whom the server runs as; null for root. */
  readonly user: string | null;
  readonly dataDirectory: string;
  /** Names of the units that were written. */
  readonly units: readonly string[];
}

/** What is left to do by hand once `serve --install` has written its units, as lines to be typed. */
export function nextSteps({ user, dataDirectory, units }: NextStepsOptions): string[] {
  return [
    '',
    'Next:',
    '  systemctl daemon-reload',
    ...(user === null ? [] : [`  chown -R ${user} ${dataDirectory}`]),
    `  systemctl enable --now ${units.join(' ')}`,
    '  systemctl status fulcrum     # whether it serves',
    // The admin socket is for the user that the server runs as, alone.
    `  ${user === null ? '' : `sudo -u ${user} `}fulcrum tokens create --name ci --scope deploy`,
    '',
    'After an upgrade `systemctl reload fulcrum` replaces the process without',
    'losing a request. Variables such as DATABASE_URL and FULCRUM_KEY go into',
    '/etc/fulcrum.env (mode 0600), one NAME=value a line.',
  ];
}
