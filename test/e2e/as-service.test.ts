import { bothModes } from './support/both-modes.ts';

bothModes('service');
